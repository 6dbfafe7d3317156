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
import { intactModel, peerSource, receiveModel } from '@model-rtc/transfer';
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
  /** `skip` leaves a model that is whole as it is. `overwrite` verifies it and fetches what is damaged, and takes over a taken alias. */
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
  return await restartWhenSourceChanges(options.onProgress, () => {
    const tally = new TransferTally();
    return services.link.durably((peer) => pullOnce(services, peer, { ref, alias, tally, options }), {
      signal: options.signal,
      quietMs: () => tally.watchdog.quietMs,
      onReconnect: (why) => options.onProgress?.({ type: 'reconnecting', reason: why.message }),
    });
  });
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
  const existing = ifExists === 'skip' ? await intactModel(registry, digest) : undefined;
  if (existing !== undefined) {
    const named = await nameExisting(registry, existing, { asked: task.alias, theirs: entry.alias });
    const nothing = { transferredBytes: 0, reusedBytes: named.size, resumedBytes: 0 };
    return { entry: named, outcome: 'already_there', ...tally.report(peer, nothing) };
  }
  // Before the manifest is asked for: it may be large.
  if (alias !== undefined && ifExists === 'skip') await registry.checkAlias(alias, digest);
  const received = await receiveModel({
    ...{ registry, digest, entry, alias, ifExists, signal, log },
    manifest: await fetchManifest(peer, digest, signal),
    source: 'worker-pull',
    sources: [peerSource(peer, digest, peer.remote.agent.name)],
    watchdog: tally.watchdog,
    onProgress: (progress) => {
      tally.note(progress);
      options.onProgress?.({ type: 'transfer', ...progress });
    },
  });
  return { entry: received.entry, outcome: 'pulled', ...tally.report(peer, received.outcome) };
}

/** A worker whose files changed hashes them first, however long that takes; it says `busy` meanwhile. */
async function askForEntry(peer: Peer, { ref, tally, options }: PullTask): Promise<ModelEntry> {
  for (;;) {
    try {
      return (await peer.request('get_model_info', { ref }, { signal: options.signal })).entry;
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'busy') throw known;
      tally.watchdog.progressed();
      options.onProgress?.({ type: 'waiting', reason: known.message });
      await backoff(ASK_AGAIN_MS, options.signal);
    }
  }
}

function settledDigest(entry: ModelEntry): Digest {
  if (entry.digest !== undefined) return entry.digest;
  throw new ModelRtcError('busy', `"${entry.alias ?? entry.id}" is still training; pull it when it is done.`);
}

/** A model that is here keeps its alias; one without takes the worker's, if that is free; an alias that was asked for counts. */
async function nameExisting(
  registry: Registry,
  existing: RegistryEntry,
  { asked, theirs }: { asked: Alias | undefined; theirs: Alias | undefined },
): Promise<RegistryEntry> {
  if (asked !== undefined) return asked === existing.alias ? existing : await registry.tag(existing.id, asked);
  if (existing.alias !== undefined || theirs === undefined) return existing;
  try {
    return await registry.tag(existing.id, theirs);
  } catch (error) {
    if (ModelRtcError.from(error).code === 'alias_taken') return existing;
    throw error;
  }
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
