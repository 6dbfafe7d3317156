import {
  type Alias,
  type Digest,
  type IfExists,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  manifestDigest,
  parseAlias,
} from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { type PullOutcome, peerSource, pull } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import { backoff } from './backoff.ts';
import type { OnModelProgress } from './progress.ts';
import { restartWhenSourceChanges } from './source-changes.ts';
import { type TransferReport, TransferTally } from './transfer-tally.ts';
import type { WorkerServices } from './worker-services.ts';

const ASK_AGAIN_MS = 1_000;

export interface PullModelOptions {
  /** The model's alias here; without it, the worker's. */
  readonly alias?: string | undefined;
  /** `skip` leaves a model that is whole already as it is; `overwrite` fetches it anew and takes over a taken alias. */
  readonly ifExists?: IfExists | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

export interface PullModelResult extends TransferReport {
  readonly entry: RegistryEntry;
  readonly outcome: 'pulled' | 'already_there';
}

/**
 * Brings a model from the worker into this machine's registry: whole and verified, or not at all. What an earlier attempt
 * fetched, and what this disk has in any model, is not fetched again.
 *
 * @param ref - as the worker knows the model: id, alias or digest prefix.
 */
export async function pullModel(
  services: WorkerServices,
  ref: string,
  options: PullModelOptions,
): Promise<PullModelResult> {
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const tally = new TransferTally();
  return await restartWhenSourceChanges(options.onProgress, () =>
    services.link.durably((peer) => pullOnce(services, peer, { ref, alias, tally, options }), {
      signal: options.signal,
      lastProgressMs: () => tally.lastProgressMs,
      onReconnect: (why) => options.onProgress?.({ type: 'reconnecting', reason: why.message }),
    }),
  );
}

interface PullTask {
  readonly ref: string;
  readonly alias: Alias | undefined;
  readonly tally: TransferTally;
  readonly options: PullModelOptions;
}

async function pullOnce({ registry, log }: WorkerServices, peer: Peer, task: PullTask): Promise<PullModelResult> {
  const { tally, options } = task;
  const { signal, ifExists = 'skip' } = options;
  const entry = await askForEntry(peer, task);
  const digest = settledDigest(entry);
  const alias = task.alias ?? entry.alias;
  if (alias !== undefined && ifExists === 'skip') await registry.checkAlias(alias, digest);
  const existing = ifExists === 'skip' ? await intactModel(registry, digest) : undefined;
  if (existing !== undefined) return await alreadyThere(registry, existing, { task, digest, peer });
  const manifest = await fetchManifest(peer, digest, signal);
  const outcome = await pull({
    manifest,
    digest,
    sources: [peerSource(peer, digest, peer.remote.agent.name)],
    staging: registry.paths.staging,
    local: registry,
    signal,
    log,
    onProgress: (progress) => {
      tally.note(progress);
      options.onProgress?.({ type: 'transfer', ...progress });
    },
  });
  return await install(registry, { outcome, manifest, entry, alias, ifExists, tally, peer });
}

/** A worker whose files changed hashes them first, however long that takes; it says `busy` meanwhile. */
async function askForEntry(peer: Peer, { ref, tally, options }: PullTask): Promise<ModelEntry> {
  for (;;) {
    try {
      return (await peer.request('get_model_info', { ref }, { signal: options.signal })).entry;
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'busy') throw known;
      tally.touch();
      options.onProgress?.({ type: 'waiting', reason: known.message });
      await backoff(ASK_AGAIN_MS, options.signal);
    }
  }
}

function settledDigest(entry: ModelEntry): Digest {
  if (entry.digest !== undefined) return entry.digest;
  throw new ModelRtcError('busy', `"${entry.alias ?? entry.id}" is still training; pull it when it is done.`);
}

async function intactModel(registry: Registry, digest: Digest): Promise<RegistryEntry | undefined> {
  const entry = await registry.find(digest);
  return entry !== undefined && (await registry.check(digest)).valid ? entry : undefined;
}

async function alreadyThere(
  registry: Registry,
  existing: RegistryEntry,
  { task, digest, peer }: { task: PullTask; digest: Digest; peer: Peer },
): Promise<PullModelResult> {
  const rename = task.alias !== undefined && task.alias !== existing.alias;
  const entry = rename ? await registry.tag(digest, task.alias) : existing;
  return {
    entry,
    outcome: 'already_there',
    ...task.tally.report(peer, { transferredBytes: 0, reusedBytes: entry.size, resumedBytes: 0 }),
  };
}

/** The manifest decides which bytes are accepted, so it must be the one that the digest names. */
async function fetchManifest(peer: Peer, digest: Digest, signal: AbortSignal | undefined): Promise<Manifest> {
  const { manifest } = await peer.request('get_manifest', { digest }, { signal });
  if (manifestDigest(manifest) === digest) return manifest;
  throw new ModelRtcError(
    'verification_failed',
    'The worker sent a manifest that is not of the model asked for; nothing was stored.',
  );
}

interface Install {
  readonly outcome: PullOutcome;
  readonly manifest: Manifest;
  readonly entry: ModelEntry;
  readonly alias: Alias | undefined;
  readonly ifExists: IfExists;
  readonly tally: TransferTally;
  readonly peer: Peer;
}

async function install(registry: Registry, task: Install): Promise<PullModelResult> {
  const { outcome, manifest, alias, tally, peer } = task;
  try {
    const entry = await registry.install({
      filesFolder: outcome.filesFolder,
      manifest,
      entry: task.entry,
      alias,
      source: 'worker-pull',
      // What was there is damaged, or was asked to be replaced: `pullOnce` has looked.
      ifExists: 'overwrite',
    });
    return { entry, outcome: 'pulled', ...tally.report(peer, outcome) };
  } finally {
    await outcome.release();
  }
}
