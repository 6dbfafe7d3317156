import type { ModelProgress } from '@model-rtc/client';
import { contentsDigest } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import {
  type FoundVersion,
  type ModelVersion,
  StaticProvider,
  type StaticRegistry,
  versionText,
} from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { ModelManagerError } from './errors.ts';
import { findInstalled, installedAs } from './installed.ts';
import type { InstalledModel, PullOptions, PullProgress, PullResult } from './types.ts';

/** Installs a version, whole and verified or not at all. */
export async function pull(context: ManagerContext, wanted: ModelVersion, options: PullOptions): Promise<PullResult> {
  const { force = false, onProgress, signal } = options;
  // Without a word to the registry, so that a machine that has the model can be offline; but a key is pinned by what it signed.
  if (!force && context.pinsKeys) await context.remote().list(signal);
  if (!force) refuseInstalled(wanted, await findInstalled(context, wanted));
  onProgress?.({ type: 'manifest' });
  const remote = context.remote();
  const found = (await remote.list(signal)).find(wanted);
  const version = { group: found.group, model: found.model, version: found.version };
  if (!force && found.alias !== undefined) {
    const here = await findInstalled(context, version);
    if (here?.isWhole === true) await noteAlias(context, remote, found);
    refuseInstalled(version, here);
  }
  const manifest = await remote.manifest(found.hash, signal);
  const totalChunks = manifest.chunks.length;
  onProgress?.({ type: 'found', version, totalBytes: manifest.totalBytes, totalChunks });
  const { result, model } = await context.withRegistry(async (registry) => {
    const counts = { chunkBytes: manifest.chunkBytes, totalChunks };
    const result = await fetchModel({ context, registry, remote, version, counts, options });
    await noteAlias(context, remote, found);
    return { result, model: await installedAs(registry, version, await context.followed.list()) };
  });
  if (model === undefined || (contentsDigest(manifest.contents) ?? model.digest) !== model.digest) {
    const sentence = `${versionText(version)} changed while it was pulled. Run the same again.`;
    throw new ModelManagerError('hash_mismatch', 'source_changed', sentence);
  }
  return {
    model,
    alias: found.alias,
    outcome: result.outcome === 'pulled' ? 'installed' : 'already_there',
    transferredBytes: result.transferredBytes,
    reusedBytes: result.reusedBytes + result.resumedBytes,
    seconds: result.seconds,
    sources: result.workers.map(({ name, bytes }) => ({ name, bytes })),
  };
}

interface Fetching {
  readonly context: ManagerContext;
  readonly registry: Registry;
  readonly remote: StaticRegistry;
  readonly version: ModelVersion;
  readonly counts: { readonly chunkBytes: number; readonly totalChunks: number };
  readonly options: PullOptions;
}

/** What speaks to workers is loaded only where there are some. */
async function fetchModel({ context, registry, remote, version, counts, options }: Fetching) {
  const { connectAll, pullFromProviders } = await import('@model-rtc/client');
  const { clock, log, limits, storage } = context;
  const { force, concurrency, signal, onProgress, priority, workers = [] } = options;
  const provider = new StaticProvider({
    ...{ registry: remote, concurrency, clock },
    digestHere: async (manifest) => (await registry.findByManifest(manifest))?.digest,
  });
  await using group = connectAll({ registry, log, clock, limits, sessions: workers.map((session) => ({ session })) });
  const providers = [provider, ...group.workers.map((worker) => worker.provider)];
  try {
    return await pullFromProviders(
      { registry, log, clock, random: Math.random, limits, storage },
      providers,
      versionText(version),
      {
        isName: true,
        ifExists: force ? 'overwrite' : 'skip',
        priority,
        signal,
        onProgress: onProgress && ((progress) => tell(progress, counts, onProgress)),
      },
    );
  } finally {
    provider.close();
  }
}

function tell(
  progress: ModelProgress,
  { chunkBytes, totalChunks }: Fetching['counts'],
  onProgress: (progress: PullProgress) => void,
): void {
  if (progress.type === 'reconnecting' || progress.type === 'waiting' || progress.type === 'source_changed') {
    onProgress({ type: 'waiting', reason: progress.reason });
  }
  if (progress.type !== 'transfer') return;
  const { state, doneBytes, totalBytes, bytesPerSecond, secondsLeft } = progress;
  const { transferredBytes, reusedBytes, resumedBytes, wastedBytes, lanes } = progress;
  if (progress.state === 'preparing' && progress.reason === 'waiting_for_lock')
    onProgress({ type: 'waiting', reason: 'Another process is pulling the same model.' });
  if (progress.state === 'transferring' && progress.warning !== undefined)
    onProgress({ type: 'waiting', reason: progress.warning.message });
  const doneChunks = doneBytes === totalBytes ? totalChunks : Math.floor(doneBytes / chunkBytes);
  onProgress({
    ...{ type: 'transfer', state, doneBytes, totalBytes, doneChunks, totalChunks, bytesPerSecond, secondsLeft },
    ...{ transferredBytes, reusedBytes, resumedBytes, wastedBytes, lanes },
  });
}

async function noteAlias({ followed }: ManagerContext, remote: StaticRegistry, found: FoundVersion): Promise<void> {
  const { group, model, version, alias } = found;
  if (alias !== undefined) await followed.note({ registry: remote.url, group, model, alias, version });
}

/** @throws ModelManagerError `already_installed` for a version that is here and whole */
function refuseInstalled(wanted: ModelVersion, here: InstalledModel | undefined): void {
  if (here === undefined || !here.isWhole) return;
  throw new ModelManagerError(
    'already_installed',
    'refused',
    `${versionText(wanted)} is already installed. Pass --force to verify it and bring it up to date.`,
    { details: { path: here.path } },
  );
}
