import {
  type Alias,
  type Digest,
  ModelRtcError,
  manifestDigest,
  type Params,
  type PushEvent,
  type ResultInput,
} from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { peerSource, pull } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import { sharedEntry, type WorkerServices } from './handlers.ts';

type PushContext = RequestContext<'push_model'>;

/** A push is a pull by this worker: the manifest says what, the asking peer is where from. */
export async function pushModel(
  services: WorkerServices,
  params: Params<'push_model'>,
  context: PushContext,
): Promise<ResultInput<'push_model'>> {
  const digest = checkedDigest(params);
  if (params.alias !== undefined && params.ifExists !== 'overwrite')
    await services.registry.checkAlias(params.alias, digest);
  const existing = params.ifExists === 'skip' ? await intactModel(services, digest) : undefined;
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

async function intactModel({ registry }: WorkerServices, digest: Digest): Promise<RegistryEntry | undefined> {
  const entry = await registry.find(digest);
  if (entry === undefined) return undefined;
  return (await registry.check(digest)).valid ? entry : undefined;
}

async function alreadyThere(
  { registry }: WorkerServices,
  entry: RegistryEntry,
  alias: Alias | undefined,
): Promise<ResultInput<'push_model'>> {
  const named =
    alias === undefined || alias === entry.alias ? entry : await registry.tag(entry.digest ?? entry.id, alias);
  return {
    entry: sharedEntry(named),
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
  const outcome = await pull({
    manifest,
    digest,
    sources: [peerSource(context.peer, digest, context.peer.remote.agent.name)],
    staging: registry.paths.staging,
    local: registry,
    signal: context.signal,
    log,
    onProgress: (progress) => void emitProgress(context, progress),
  });
  try {
    const installed = await registry.install({
      filesFolder: outcome.filesFolder,
      manifest,
      entry,
      alias,
      source: 'client-upload',
      // Whatever was there is not whole, or was asked to be replaced: `pushModel` has looked.
      ifExists: 'overwrite',
    });
    log.info({ digest, alias: installed.alias, ifExists }, 'model received');
    const { transferredBytes, reusedBytes, resumedBytes } = outcome;
    return { entry: sharedEntry(installed), outcome: 'installed', transferredBytes, reusedBytes, resumedBytes };
  } finally {
    await outcome.release();
  }
}

/** Progress is a courtesy: a client that is gone must not fail the transfer before its own signal says so. */
async function emitProgress(context: PushContext, progress: Omit<PushEvent, 'type'>): Promise<void> {
  const { state, doneBytes, totalBytes, reusedBytes, resumedBytes } = progress;
  try {
    await context.emit({ type: 'progress', state, doneBytes, totalBytes, reusedBytes, resumedBytes });
  } catch {}
}
