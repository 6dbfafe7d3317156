import {
  type Alias,
  type Digest,
  ModelRtcError,
  manifestDigest,
  type Params,
  type PushEvent,
  type ResultInput,
} from '@model-rtc/protocol';
import { type RegistryEntry, toModelEntry } from '@model-rtc/registry';
import { intactModel, peerSource, receiveModel } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import type { WorkerServices } from './worker-services.ts';

type PushContext = RequestContext<'push_model'>;

/** A push is a pull by this worker: the manifest says what, the asking peer is where from. */
export async function pushModel(
  services: WorkerServices,
  params: Params<'push_model'>,
  context: PushContext,
): Promise<ResultInput<'push_model'>> {
  const digest = checkedDigest(params);
  const existing = params.ifExists === 'skip' ? await intactModel(services.registry, digest) : undefined;
  if (existing !== undefined) return await alreadyThere(services, existing, params.alias);
  return await receive(services, digest, params, context);
}

function checkedDigest({ manifest, entry }: Params<'push_model'>): Digest {
  const digest = manifestDigest(manifest);
  if (entry.digest !== undefined && entry.digest !== digest) {
    throw new ModelRtcError(
      'invalid_model',
      'The pushed manifest is not that of the pushed model; nothing was stored. Push it again.',
    );
  }
  return digest;
}

async function alreadyThere(
  { registry }: WorkerServices,
  entry: RegistryEntry,
  alias: Alias | undefined,
): Promise<ResultInput<'push_model'>> {
  const named =
    alias === undefined || alias === entry.alias ? entry : await registry.tag(entry.digest ?? entry.id, alias);
  return {
    entry: toModelEntry(named),
    outcome: 'already_there',
    transferredBytes: 0,
    reusedBytes: entry.size,
    resumedBytes: 0,
  };
}

async function receive(
  { registry, log }: WorkerServices,
  digest: Digest,
  { manifest, entry, alias, ifExists }: Params<'push_model'>,
  context: PushContext,
): Promise<ResultInput<'push_model'>> {
  const { peer, signal } = context;
  const received = await receiveModel({
    ...{ registry, manifest, digest, entry, alias, ifExists, signal, log },
    source: 'client-upload',
    sources: [peerSource(peer, digest, peer.remote.agent.name)],
    onProgress: (progress) => void emitProgress(context, progress),
  });
  log.info({ digest, alias: received.entry.alias }, 'model received');
  const { transferredBytes, reusedBytes, resumedBytes } = received.outcome;
  return { entry: toModelEntry(received.entry), outcome: 'installed', transferredBytes, reusedBytes, resumedBytes };
}

/** Progress is a courtesy: a client that is gone must not fail the transfer before its own signal says so. */
async function emitProgress(context: PushContext, progress: Omit<PushEvent, 'type'>): Promise<void> {
  const { state, doneBytes, totalBytes, reusedBytes, resumedBytes } = progress;
  try {
    await context.emit({ type: 'progress', state, doneBytes, totalBytes, reusedBytes, resumedBytes });
  } catch {}
}
