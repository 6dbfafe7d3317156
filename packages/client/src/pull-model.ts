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
import { loadZstd, PeerEncodings, type ReceivedModel, receiveFromHere, receiveFromSources } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import { cancelledBy } from './cancelled.ts';
import { isBulk } from './is-bulk.ts';
import { wholeModels } from './list-models.ts';
import type { OnModelProgress, WorkerNews } from './progress.ts';
import { remembered } from './remembered.ts';
import { reportInstalled } from './report-installed.ts';
import { type NamedModel, resolveAtWorker } from './resolve-at-worker.ts';
import { restartWhenSourceChanges } from './source-changes.ts';
import { type AskOne, findModel } from './swarm/find-model.ts';
import { Swarm } from './swarm/swarm.ts';
import { WorkerNames } from './swarm/worker-names.ts';
import { type WorkerBytes, WorkerTally } from './swarm/worker-tally.ts';
import { backOff } from './time.ts';
import { type SpeedOptions, TransferSpeed } from './transfer-speed.ts';
import { type TransferReport, TransferTally } from './transfer-tally.ts';
import type { WorkerServices } from './worker-services.ts';

const ASK_AGAIN_MS = 1_000;

export interface PullModelOptions extends SpeedOptions {
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
  /** The worker that said what the reference names. */
  readonly namedAt: string;
  /** What each worker gave, over which of its lanes. */
  readonly workers: readonly WorkerBytes[];
}

/**
 * Brings a model from workers into this machine's registry: whole and verified, or not at all. What an earlier attempt
 * fetched, and what this disk has in any model, is not fetched again. All workers that have it give it at once; any of them
 * may leave and come back meanwhile.
 *
 * @param workers - the first that knows the reference decides what it names.
 * @param ref - as a worker knows the model: id, alias or digest prefix; else as this machine knows it.
 */
export async function pullModelFrom(
  workers: readonly WorkerServices[],
  ref: string,
  options: PullModelOptions = {},
): Promise<PullModelResult> {
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const [first] = workers;
  if (first === undefined) throw new ModelRtcError('bad_argument', 'Name a worker to take the model from.');
  const tally = new TransferTally(first.time);
  const speed = new TransferSpeed(options, first.limits.down, first.time);
  const names = new WorkerNames(workers.map(({ known }) => known));
  const task = { workers, names, ref, alias, tally, speed, byWorker: new WorkerTally(), options };
  const startOver = (): void => {
    tally.startOver();
    task.byWorker.startOver();
  };
  return await restartWhenSourceChanges({ onProgress: options.onProgress, startOver }, () => pullOnce(task));
}

export interface AskTask {
  readonly workers: readonly WorkerServices[];
  readonly ref: string;
  readonly tally: TransferTally;
  readonly options: Pick<PullModelOptions, 'signal' | 'onProgress'>;
}

interface PullTask extends AskTask {
  readonly alias: Alias | undefined;
  readonly names: WorkerNames;
  readonly byWorker: WorkerTally;
  readonly speed: TransferSpeed;
  readonly options: PullModelOptions;
}

async function pullOnce(task: PullTask): Promise<PullModelResult> {
  const { workers, names, tally, byWorker, options } = task;
  tally.begin();
  const { info, worker } = await askForModel(task);
  const { entry, namedBy, otherHere } = info;
  const digest = settledDigest(entry);
  const { watchdog } = tally;
  const onNews = (news: WorkerNews): void => tellNews(task, news);
  const encodings = new PeerEncodings({ loadZstd, mode: options.compress });
  const { signal } = options;
  const swarm = new Swarm(workers, { digest, first: worker, watchdog, encodings, names, signal, onNews });
  let received: ReceivedModel;
  try {
    received = await whileItLasts(() => receive(task, { entry, digest, swarm }));
  } catch (error) {
    throw swarm.asEnd(error);
  } finally {
    await swarm.end();
  }
  await Promise.all(workers.map((one) => tellOfPull(one, digest, received.entry)));
  await remembered(worker, () => worker.registry.recordSeen(worker.known, wholeModels([entry])));
  const outcome = received.outcome === 'installed' ? 'pulled' : 'already_there';
  const lanes = workers.flatMap(({ link }) => link.lanes);
  return {
    ...{ entry: received.entry, outcome, namedBy, otherHere, namedAt: names.of(worker.known) },
    ...tally.report(lanes, received),
    workers: byWorker.list(),
  };
}

async function receive(
  { workers, alias, tally, speed, byWorker, options }: PullTask,
  { entry, digest, swarm }: { readonly entry: ModelEntry; readonly digest: Digest; readonly swarm: Swarm },
): Promise<ReceivedModel> {
  const { aliasConflict, safeOnly, signal, ifExists = 'skip' } = options;
  const { registry, log } = workers[0] as WorkerServices;
  const reception = { registry, digest, entry, alias, aliasConflict, ifExists, safeOnly };
  const here = await receiveFromHere(reception);
  if (here !== undefined) return here;
  if (isBulk(entry)) for (const { link } of workers) link.current?.expectBulk();
  const manifest = await swarm.manifest(async (worker, how) =>
    how === 'patiently'
      ? await manifestAt(worker, digest, { tally, options })
      : await fetchManifest(await worker.link.peer(signal), digest, signal),
  );
  swarm.start();
  return await receiveFromSources({
    ...{ ...reception, manifest, signal, log },
    source: 'worker-pull',
    sources: swarm.pool,
    watchdog: tally.watchdog,
    pace: speed.pace,
    onProgress: (progress) => {
      tally.note(progress);
      speed.moved(
        progress.transferredBytes,
        workers.flatMap(({ link }) => link.lanes),
      );
      byWorker.note(progress.lanes);
      options.onProgress?.({ type: 'transfer', ...progress });
    },
  });
}

/** Asks the workers what the reference names; each is asked over a new connection when one is lost. */
export async function askForModel(task: AskTask) {
  const { workers, tally, ref, options } = task;
  const ask: AskOne = async (worker, signal) => {
    // A connection that is being made when another worker answers first is the transfer's.
    worker.link.peer(options.signal).catch(() => {});
    const asking = { workers, tally, ref, options: { ...options, signal } };
    return await durably(worker, asking, (peer) =>
      resolveAtWorker(worker.registry, ref, (name) => askPatiently(worker, peer, name, asking)),
    );
  };
  return await findModel(workers, ask, options.signal);
}

export async function manifestAt(
  worker: WorkerServices,
  digest: Digest,
  task: Pick<AskTask, 'tally' | 'options'>,
): Promise<Manifest> {
  return await durably(worker, task, (peer) => fetchManifest(peer, digest, task.options.signal));
}

async function durably<T>(
  { link }: WorkerServices,
  { tally, options: { signal, onProgress } }: Pick<AskTask, 'tally' | 'options'>,
  work: (peer: Peer) => Promise<T>,
): Promise<T> {
  return await link.durably(work, {
    signal,
    quietMs: () => tally.watchdog.quietMs,
    onReconnect: (why) => onProgress?.({ type: 'reconnecting', reason: why.message }),
  });
}

/** With one worker there is only its connection to tell of. */
function tellNews({ workers, options }: PullTask, news: WorkerNews): void {
  if (workers.length > 1) options.onProgress?.({ type: 'worker', ...news });
  else if (news.state === 'lost') options.onProgress?.({ type: 'reconnecting', reason: news.reason ?? '' });
}

/** Those that are connected hear of it. */
async function tellOfPull({ link, log }: WorkerServices, digest: Digest, here: RegistryEntry): Promise<void> {
  if (link.current !== undefined) await reportInstalled(link.current, digest, here.alias, log);
}

/** A worker whose files changed hashes them first, however long that takes; it says `busy` meanwhile. */
async function askPatiently(
  { time }: WorkerServices,
  peer: Peer,
  ref: string,
  { tally, options: { signal, onProgress } }: AskTask,
): Promise<Result<'get_model_info'>> {
  for (;;) {
    try {
      return await peer.request('get_model_info', { ref }, { signal });
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'busy') throw known;
      if (signal?.aborted) throw cancelledBy(signal, error);
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

export function settledDigest(entry: ModelEntry): Digest {
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
