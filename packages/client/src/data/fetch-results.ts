import { resolve } from 'node:path';
import { type Digest, ModelRtcError, manifestDigest, modelSize, pathsProblem, type Result } from '@model-rtc/protocol';
import type { PlaceOptions } from '@model-rtc/registry';
import {
  limitTransfer,
  loadZstd,
  openPull,
  PeerEncodings,
  type PullOutcome,
  peerPool,
  type TrackedTransfer,
  type TransferProgress,
} from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import { overConnections } from '../over-connections.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { tracked } from '../tracked.ts';
import { isBulk, TransferSpeed } from '../transfer-speed.ts';
import { TransferStats } from '../transfer-stats.ts';
import type { FetchedResults, FetchResultsOptions, ResultsTarget } from './types.ts';

/** How long to wait for the worker to take a report, which is only a courtesy. */
const REPORT_WITHIN_MS = 3_000;

/**
 * Brings a job's results to a place on this machine: whole and verified, or not at all. What an earlier attempt fetched is not
 * fetched again.
 *
 * @param id - the job
 * @throws ModelRtcError `not_found` when there are no results; `refused` when something else is at the place, before a byte is
 * fetched; what `Registry.placeFileSet` throws
 */
export async function fetchResults(
  worker: RemoteWorker,
  id: string,
  target: ResultsTarget,
  options: FetchResultsOptions = {},
): Promise<FetchedResults> {
  const place = placeOf(target);
  const about = {
    kind: 'results_pull',
    name: `job ${id}`,
    peers: [worker.known.name],
    priority: options.priority,
  } as const;
  return await tracked(worker, about, options, async (controlled, transfer) => {
    const { clock, limits } = worker;
    const stats = new TransferStats(clock, options.maxReconnectMs);
    const speed = new TransferSpeed(options, limits.down, clock, transfer);
    const task = { worker, id, place, options: controlled, stats, speed, transfer };
    return await overConnections(worker, stats, controlled, async (peer) => {
      const fetched = await fetchOnce(task, peer);
      await reportFetched(worker, peer, id);
      return fetched;
    });
  });
}

interface FetchTask {
  readonly worker: RemoteWorker;
  readonly id: string;
  readonly place: (results: Results) => Promise<string>;
  readonly options: FetchResultsOptions;
  readonly stats: TransferStats;
  readonly speed: TransferSpeed;
  readonly transfer: TrackedTransfer;
}

/** What the worker says of the results. */
type Results = Result<'get_results'> & { readonly digest: Digest };

/** A person may be asked for the place: once, however often the connection is renewed. */
function placeOf(target: ResultsTarget): FetchTask['place'] {
  let chosen: Promise<string> | undefined;
  return (results) => {
    chosen ??= choose(target, results);
    return chosen;
  };
}

async function choose(target: ResultsTarget, { form, manifest }: Results): Promise<string> {
  if (typeof target === 'string') return resolve(target);
  return resolve(await target({ form, fileName: form === 'file' ? manifest?.files[0]?.path : undefined }));
}

async function fetchOnce(task: FetchTask, peer: Peer): Promise<FetchedResults> {
  const { worker, id, options, stats } = task;
  stats.begin();
  const answer = await peer.request('get_results', { id }, { signal: options.signal });
  const results = checked({ ...answer, digest: manifestDigest(answer.manifest ?? { files: [] }) });
  const { form, digest, manifest, emptyFolders } = results;
  const bytes = manifest === undefined ? 0 : modelSize(manifest);
  task.transfer.describe({ digest, totalBytes: bytes });
  const path = await task.place(results);
  const wanted = { digest, form, manifest, emptyFolders, overwrite: options.force };
  const isSame = (await worker.registry.checkTarget(path, wanted)) === 'same';
  const moved = isSame ? NOTHING : await bring(task, peer, { ...wanted, target: path });
  const outcome = isSame ? 'same' : 'fetched';
  return {
    path,
    outcome,
    form,
    digest,
    bytes,
    fileCount: manifest?.files.length ?? 0,
    ...stats.report(peer.lanes, moved),
  };
}

type Moved = Pick<PullOutcome, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'>;
const NOTHING: Moved = { transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 };

/** Fetches the files and puts them in their place, in the same step for every other process of this machine. */
async function bring(task: FetchTask, peer: Peer, place: Omit<PlaceOptions, 'filesFolder'>): Promise<Moved> {
  const { worker, options, stats, speed, transfer } = task;
  const { registry, log, limits } = worker;
  const { digest, manifest } = place;
  if (manifest === undefined) {
    await registry.placeFileSet({ ...place, filesFolder: undefined });
    return NOTHING;
  }
  const size = modelSize(manifest);
  if (isBulk({ size })) peer.expectBulk();
  const encodings = new PeerEncodings({ loadZstd, mode: options.compress });
  const { pool, stop } = peerPool(peer, digest, peer.remote.agent.name, { encodings });
  try {
    await using pulling = await openPull({
      ...{ contents: { ...manifest, digest }, sources: pool, staging: registry.paths.staging, local: registry, log },
      ...{
        signal: options.signal,
        watchdog: stats.watchdog,
        limiter: limitTransfer(transfer, speed.limiter, limits.bySize, size),
      },
      onProgress: (progress: TransferProgress) => {
        stats.note(progress);
        speed.moved(progress.transferredBytes, peer.lanes);
        options.onProgress?.({ type: 'transfer', ...progress });
      },
    });
    const pulled = await pulling.fetch();
    await registry.placeFileSet({ ...place, filesFolder: pulled.filesFolder });
    return pulled;
  } finally {
    stop();
  }
}

/** @throws ModelRtcError `malformed_message` for results that nobody can have */
function checked(results: Results): Results {
  const { form, manifest, emptyFolders } = results;
  const count = manifest?.files.length ?? 0;
  const problem =
    form === 'file' && (count !== 1 || emptyFolders.length > 0)
      ? `a single file of ${count} files`
      : pathsProblem([...(manifest?.files ?? []).map(({ path }) => path), ...emptyFolders]);
  if (problem === undefined) return results;
  const sentence = `The worker describes results that no machine can have (${problem}); nothing was stored.`;
  throw new ModelRtcError('malformed_message', sentence);
}

/** The worker keeps fetched results for a shorter time. Whoever has them does not care whether it heard of that. */
async function reportFetched({ log }: RemoteWorker, peer: Peer, id: string): Promise<void> {
  try {
    await peer.request('report_fetched', { id }, { timeoutMs: REPORT_WITHIN_MS });
  } catch (error) {
    log.debug({ err: error, id }, 'the worker was not told that the results were fetched');
  }
}
