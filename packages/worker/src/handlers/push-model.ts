import type { Hub } from '@model-rtc/hub';
import {
  type Digest,
  type Log,
  ModelRtcError,
  manifestDigest,
  modelSize,
  type Params,
  type PushEvent,
  type ResultInput,
} from '@model-rtc/protocol';
import { toModelEntry } from '@model-rtc/registry';
import {
  type LaneBytes,
  limitTransfer,
  loadZstd,
  PeerEncodings,
  peerPool,
  type ReceivedModel,
  receiveModel,
  type SourcePool,
  stepOfTransfer,
  type TrackedTransfer,
  trackTransfer,
} from '@model-rtc/transfer';
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
  options: PushOptions,
  params: Params<'push_model'>,
  context: PushContext,
): Promise<ResultInput<'push_model'>> {
  const { alias } = params;
  const digest = checkedDigest(params);
  const { alias: sentAlias, id } = params.entry;
  const about = {
    kind: 'receive',
    name: alias ?? sentAlias ?? id,
    digest,
    peers: [context.peer.remote.agent.name],
  } as const;
  const tracking = { folder: options.registry.paths.transfers, about, signal: context.signal, log: options.log };
  return await trackTransfer(tracking, (transfer) => receivePush(options, params, context, { digest, transfer }));
}

async function receivePush(
  { registry, log, safeOnly, limits, hub, staged, keyId, storage }: PushOptions,
  params: Params<'push_model'>,
  context: PushContext,
  { digest, transfer }: { readonly digest: Digest; readonly transfer: TrackedTransfer },
): Promise<ResultInput<'push_model'>> {
  const { manifest, alias, aliasConflict, ifExists } = params;
  const { peer } = context;
  const { signal } = transfer;
  let hubBytes = 0;
  const receive = async (): Promise<ReceivedModel> => {
    const encodings = new PeerEncodings({ loadZstd });
    const { pool, stop } = peerPool(peer, digest, peer.remote.agent.name, { encodings });
    const over = new AbortController();
    const sharing = shareHub({ params, hub, pool, log, signal: AbortSignal.any([signal, over.signal]) });
    try {
      return await receiveModel({
        ...{ registry, alias, aliasConflict, ifExists, safeOnly, signal, log },
        entry: params.entry,
        contents: { ...manifest, digest },
        source: 'client-upload',
        room: storage === undefined ? undefined : { cap: storage, transferId: transfer.id },
        asGuest: true,
        sources: pool,
        limiter: limitTransfer(transfer, limits?.down, limits?.bySize, modelSize(manifest)),
        onProgress: (progress) => {
          hubBytes = bytesFromHub(progress.lanes);
          transfer.note(stepOfTransfer(progress));
          void emitProgress(context, progress);
        },
      });
    } finally {
      stop();
      over.abort(new ModelRtcError('cancelled', 'The transfer is over.'));
      await sharing;
    }
  };
  const push = { keyId: keyId ?? '', digest, bytes: modelSize(manifest) };
  const { entry, ...received } = await staged.run(push, receive);
  log.info({ digest, alias: entry.alias, outcome: received.outcome, hubBytes }, 'model received');
  return { entry: toModelEntry(entry), ...received, ...(hubBytes > 0 ? { hubBytes } : {}) };
}

interface HubShare {
  readonly params: Params<'push_model'>;
  readonly hub: Hub | undefined;
  readonly pool: SourcePool;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Lets the hub give a part, if the owner of this worker and the pusher both let it. The push goes on without it. */
async function shareHub({ params, hub, pool, log, signal }: HubShare): Promise<void> {
  const { manifest, entry, fromHub } = params;
  if (hub === undefined || fromHub !== true || entry.hub === undefined) return;
  const { shareFromHub } = await import('@model-rtc/hub');
  const end = await shareFromHub({ hub, origin: entry.hub, manifest, pool, signal });
  if (!signal.aborted) log.info({ reason: end.message }, 'nothing more of a pushed model comes from the hub');
}

/** Only a hub is reached over HTTP. */
function bytesFromHub(lanes: readonly LaneBytes[]): number {
  return lanes.reduce((sum, { kind, bytes }) => sum + (kind === 'http' ? bytes : 0), 0);
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
