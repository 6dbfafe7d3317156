import {
  type Alias,
  type AliasConflict,
  type Digest,
  type IfExists,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  manifestDigest,
  parseAlias,
  type Result,
} from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { peerSource, receiveModel } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { OnModelProgress } from './progress.ts';
import { remembered } from './remembered.ts';
import { reportInstalled } from './report-installed.ts';
import { type NamedModel, resolveAtWorker, type WorkerModelInfo } from './resolve-at-worker.ts';
import { restartWhenSourceChanges } from './source-changes.ts';
import { backOff } from './time.ts';
import { type TransferReport, TransferTally } from './transfer-tally.ts';
import type { WorkerServices } from './worker-services.ts';

const ASK_AGAIN_MS = 1_000;

export interface PullModelOptions {
  /** The model's alias here. Without it, a model that is here keeps the one that it has; any other takes the worker's. */
  readonly alias?: string | undefined;
  /** What becomes of an alias that another model here has. Without it, it is refused, or taken over with `overwrite`. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** `skip` leaves a model that is whole as it is. `overwrite` verifies it and fetches what is damaged. */
  readonly ifExists?: IfExists | undefined;
  /** Refuse a model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

export interface PullModelResult extends TransferReport, NamedModel {
  readonly entry: RegistryEntry;
  readonly outcome: 'pulled' | 'already_there';
}

/**
 * Brings a model from the worker into this machine's registry: whole and verified, or not at all. What an earlier attempt
 * fetched, and what this disk has in any model, is not fetched again.
 *
 * @param ref - as the worker knows the model: id, alias or digest prefix; else as this machine knows it.
 */
export async function pullModel(
  services: WorkerServices,
  ref: string,
  options: PullModelOptions,
): Promise<PullModelResult> {
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const { onProgress, signal } = options;
  const tally = new TransferTally(services.time);
  const task = { ref, alias, tally, options };
  return await restartWhenSourceChanges({ onProgress, startOver: () => tally.startOver() }, () =>
    services.link.durably((peer) => pullOnce(services, peer, task), {
      signal,
      quietMs: () => tally.watchdog.quietMs,
      onReconnect: (why) => onProgress?.({ type: 'reconnecting', reason: why.message }),
    }),
  );
}

interface PullTask {
  readonly ref: string;
  readonly alias: Alias | undefined;
  readonly tally: TransferTally;
  readonly options: PullModelOptions;
}

async function pullOnce(services: WorkerServices, peer: Peer, task: PullTask): Promise<PullModelResult> {
  const { registry, log } = services;
  const { alias, tally, options } = task;
  const { aliasConflict, safeOnly, signal, ifExists = 'skip' } = options;
  tally.begin();
  const { entry, namedBy, otherHere } = await askForEntry(services, peer, task);
  const digest = settledDigest(entry);
  const { entry: here, ...received } = await whileItLasts(() =>
    receiveModel({
      ...{ registry, digest, entry, alias, aliasConflict, ifExists, safeOnly, signal, log },
      manifest: () => fetchManifest(peer, digest, signal),
      source: 'worker-pull',
      sources: [peerSource(peer, digest, peer.remote.agent.name)],
      watchdog: tally.watchdog,
      onProgress: (progress) => {
        tally.note(progress);
        options.onProgress?.({ type: 'transfer', ...progress });
      },
    }),
  );
  await remembered(services, () => registry.recordSeen(services.known, [entry]));
  await reportInstalled(peer, digest, here.alias, log);
  const outcome = received.outcome === 'installed' ? 'pulled' : 'already_there';
  return { entry: here, outcome, namedBy, otherHere, ...tally.report(peer, received) };
}

async function askForEntry(services: WorkerServices, peer: Peer, task: PullTask): Promise<WorkerModelInfo> {
  return await resolveAtWorker(services.registry, task.ref, (ref) => askPatiently(services, peer, ref, task));
}

/** A worker whose files changed hashes them first, however long that takes; it says `busy` meanwhile. */
async function askPatiently(
  { time }: WorkerServices,
  peer: Peer,
  ref: string,
  { tally, options }: PullTask,
): Promise<Result<'get_model_info'>> {
  const { signal, onProgress } = options;
  for (;;) {
    try {
      return await peer.request('get_model_info', { ref }, { signal });
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'busy') throw known;
      tally.watchdog.progressed();
      onProgress?.({ type: 'waiting', reason: known.message });
      await backOff(time, ASK_AGAIN_MS, signal);
    }
  }
}

/** The worker told of the model a moment ago: when it does not have it now, its files have changed, or it was removed. */
async function whileItLasts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code !== 'not_found') throw known;
    throw ModelRtcError.because(known, 'source_changed', 'The model changed at the worker while it was sent.');
  }
}

function settledDigest(entry: ModelEntry): Digest {
  if (entry.digest !== undefined) return entry.digest;
  throw new ModelRtcError('busy', `"${entry.alias ?? entry.id}" is still training; pull it when it is done.`);
}

/** The manifest decides which bytes are accepted, so it must be the one that the digest names. */
export async function fetchManifest(peer: Peer, digest: Digest, signal: AbortSignal | undefined): Promise<Manifest> {
  const { manifest } = await peer.request('get_manifest', { digest }, { signal });
  if (manifestDigest(manifest) === digest) return manifest;
  throw new ModelRtcError(
    'verification_failed',
    'The worker sent a manifest that is not of the model asked for; nothing was stored.',
  );
}
