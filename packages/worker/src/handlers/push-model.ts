import {
  type Digest,
  ModelRtcError,
  manifestDigest,
  modelSize,
  type Params,
  type PushEvent,
  type ResultInput,
} from '@model-rtc/protocol';
import { toModelEntry } from '@model-rtc/registry';
import { loadZstd, PeerEncodings, peerPool, type ReceivedModel, receiveModel } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import type { StagedPushes } from './staged-pushes.ts';
import type { HandlerOptions } from './types.ts';

type PushContext = RequestContext<'push_model'>;

interface PushOptions extends HandlerOptions {
  readonly staged: StagedPushes;
  /** Whose push it is: the id of the token. */
  readonly keyId: string | undefined;
}

/** A push is a pull by this worker: the manifest says what, the asking peer is where from. */
export async function pushModel(
  { registry, log, safeOnly, limits, staged, keyId }: PushOptions,
  params: Params<'push_model'>,
  context: PushContext,
): Promise<ResultInput<'push_model'>> {
  const { manifest, alias, aliasConflict, ifExists } = params;
  const { peer, signal } = context;
  const digest = checkedDigest(params);
  const receive = async (): Promise<ReceivedModel> => {
    const encodings = new PeerEncodings({ loadZstd });
    const { pool, stop } = peerPool(peer, digest, peer.remote.agent.name, { encodings });
    return await receiveModel({
      ...{ registry, alias, aliasConflict, ifExists, safeOnly, signal, log },
      entry: params.entry,
      contents: { ...manifest, digest },
      source: 'client-upload',
      asGuest: true,
      sources: pool,
      limiter: limits?.down,
      onProgress: (progress) => void emitProgress(context, progress),
    }).finally(stop);
  };
  const push = { keyId: keyId ?? '', digest, bytes: modelSize(manifest) };
  const { entry, ...received } = await staged.run(push, receive);
  log.info({ digest, alias: entry.alias, outcome: received.outcome }, 'model received');
  return { entry: toModelEntry(entry), ...received };
}

function checkedDigest({ manifest, entry }: Params<'push_model'>): Digest {
  const digest = manifestDigest(manifest);
  if (entry.digest !== undefined && entry.digest !== digest) {
    throw new ModelRtcError(
      'invalid_model',
      'The pushed manifest does not match the pushed model; nothing was stored. Push it again.',
    );
  }
  return digest;
}

/** Progress is a courtesy: a client that is gone must not fail the transfer before its own signal says so. */
export async function emitProgress(
  context: Pick<PushContext, 'emit'>,
  progress: Omit<PushEvent, 'type'>,
): Promise<void> {
  const { state, reason, doneBytes, totalBytes, reusedBytes, resumedBytes } = progress;
  try {
    await context.emit({ type: 'progress', state, reason, doneBytes, totalBytes, reusedBytes, resumedBytes });
  } catch {}
}
