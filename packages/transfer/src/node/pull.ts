import { freeBytes, type Lock } from '@model-rtc/files';
import {
  type Clock,
  type Digest,
  type Log,
  type Manifest,
  type ModelContents,
  type ModelEntry,
  ModelRtcError,
  silentLog,
  systemClock,
} from '@model-rtc/protocol';
import type { OpenDiskPort } from '../core/disk/disk-port.ts';
import { fetchChunks } from '../core/fetch-chunks.ts';
import { contentsKey } from '../core/layout/contents-key.ts';
import { type Layout, planLayout } from '../core/layout/layout.ts';
import { verifiedFiles } from '../core/layout/verified-files.ts';
import type { RateLimiter } from '../core/rate/rate-limiter.ts';
import { type OnTransferProgress, ProgressReporter } from '../core/session/progress.ts';
import type { DroppedSource, LaneBytes, SourceBytes } from '../core/session/stats.ts';
import { TransferStats } from '../core/session/stats.ts';
import { Watchdog } from '../core/session/watchdog.ts';
import { findLocalSources, type LocalChunks, type LocalPlace } from '../core/sources/local-chunks.ts';
import type { ChunkSource } from '../core/sources/source.ts';
import { poolOf, type SourcePool } from '../core/sources/source-pool.ts';
import type { FolderJob } from './disk/folder-disk.ts';
import { openFolderDisk } from './disk/thread-port.ts';
import { checkFreeSpace, chunksWithRoom, type FreeSpace } from './staging/free-space.ts';
import type { OwnFiles } from './staging/own-files.ts';
import { stagedChunks } from './staging/staged-chunks.ts';
import { leaveStaging, lockStaging, openStaging, type Staging } from './staging/staging.ts';

/** The parts of a pull that tests replace. */
export interface PullComponents {
  readonly clock: Clock;
  readonly openDisk: OpenDiskPort<FolderJob>;
  readonly freeSpace: FreeSpace;
}

export interface PullOptions {
  /** What is known of the model. If it has a digest, the files must be those of that digest. */
  readonly contents: ModelContents;
  /**
   * Where to fetch from. Sources of a pool may come and go; until it is ended, the pull waits when there are none, for as
   * long as it may wait for data at all. A list is a pool that is ended.
   */
  readonly sources: readonly ChunkSource[] | SourcePool;
  /** The registry's staging folder. */
  readonly staging: string;
  /** Where chunks may be on this machine: a `Registry`. */
  readonly local: LocalChunks;
  /** Other places on this machine where they may be. */
  readonly alsoLocal?: readonly LocalPlace[] | undefined;
  /** Where whole files may be that need no copy: the `ownFiles` of a registry. */
  readonly ownFiles?: OwnFiles | undefined;
  /** What the other side says about the model, for those who ask while it is being fetched. */
  readonly entry?: ModelEntry | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  readonly log?: Log | undefined;
  /** Shared by all attempts of one command, so that the time without data counts on across reconnects. */
  readonly watchdog?: Watchdog | undefined;
  /** Limits the rate at which sources are asked for bytes. */
  readonly limiter?: RateLimiter | undefined;
  readonly components?: Partial<PullComponents> | undefined;
}

export interface PullOutcome {
  /** The model's files with the SHA-256 of each. */
  readonly files: Manifest['files'];
  /** The model's files, whole, verified and flushed, ready for `registry.install`. */
  readonly filesFolder: string;
  readonly transferredBytes: number;
  /** This disk had them: in other models, in other attempts, or more than once in this model. */
  readonly reusedBytes: number;
  /** An earlier attempt had fetched them. */
  readonly resumedBytes: number;
  readonly refetchedChunks: number;
  readonly seconds: number;
  /** Came although they were there already. */
  readonly duplicateBytes: number;
  readonly bytesPerSource: readonly SourceBytes[];
  readonly lanes: readonly LaneBytes[];
  readonly dropped: readonly DroppedSource[];
  /** Unlocks the staging folder, and removes it if the files were moved out. Call it once, after the install. */
  release(): Promise<void>;
}

/**
 * Fetches a model's chunks onto this disk, from what is there already and from the sources, and verifies every chunk and
 * every file. Ends with all files in a staging folder, or with an error that leaves the state for the next attempt: the
 * same call resumes, even after kill -9.
 *
 * @throws ModelRtcError the last source's error when none is left (`network` mostly), `verification_failed` naming file and
 * source, `source_changed` when the model changed at the last source that had it, `storage_full`, `storage`, `timeout` after
 * 2 min without data, `cancelled`, `invalid_model` when the contents are not those of the digest, or some bytes could never
 * be verified.
 */
export async function pull(options: PullOptions): Promise<PullOutcome> {
  const locked = await lockPull(options);
  return await locked.fetch();
}

/** A pull that no other process can run at the same time. Call one of the two to end it. */
export interface LockedPull {
  /** As `pull` does. */
  fetch(): Promise<PullOutcome>;
  /** Unlocks the staging folder as it was, when nothing has to be fetched any more. */
  leave(): Promise<void>;
}

/**
 * The first step of a pull: waits until no other process pulls the same model, which may have brought it by then.
 * @throws ModelRtcError `invalid_model` as `pull`; `cancelled`; `storage`
 */
export async function lockPull(options: PullOptions): Promise<LockedPull> {
  const clock = options.components?.clock ?? systemClock;
  const startedMs = clock.nowMs();
  const layout = planLayout(options.contents);
  const key = contentsKey(options.contents);
  const stats = new TransferStats(layout);
  const watchdog = options.watchdog ?? new Watchdog(clock);
  const progress = new ProgressReporter(stats, clock, options.onProgress);
  const parts = { layout, key, stats, watchdog, progress, clock, startedMs };
  try {
    const held = await lockAndTell(options, parts);
    return {
      fetch: () => fetchLocked(options, parts, held),
      leave: async () => {
        progress.end();
        await leaveStaging(options.staging, key, held);
      },
    };
  } catch (error) {
    progress.end();
    throw error;
  }
}

interface PullParts {
  readonly layout: Layout;
  /** The name that the state is kept under. */
  readonly key: Digest;
  readonly stats: TransferStats;
  readonly watchdog: Watchdog;
  readonly progress: ProgressReporter;
  readonly clock: Clock;
  readonly startedMs: number;
}

async function lockAndTell({ staging, signal }: PullOptions, { key, progress, watchdog }: PullParts): Promise<Lock> {
  let waited = false;
  const onWait = (): void => {
    waited = true;
    progress.enter({ state: 'preparing', reason: 'waiting_for_lock' });
  };
  const held = await lockStaging({ staging, key, signal, onWait });
  // Time spent waiting for another process is not time without data.
  if (waited) watchdog.progressed();
  return held;
}

async function fetchLocked(options: PullOptions, parts: PullParts, held: Lock): Promise<PullOutcome> {
  const { staging: folder, contents, entry, ownFiles, signal } = options;
  const { layout, key, stats, progress, startedMs, clock } = parts;
  try {
    const staging = await openStaging({ staging: folder, key, contents, layout, entry, ownFiles, held, signal });
    let files: Manifest['files'];
    try {
      files = verifiedFiles(layout, await fetchInto(staging, options, parts));
    } catch (error) {
      await staging.keep();
      throw ModelRtcError.from(error);
    }
    progress.enter({ state: 'completed' });
    return outcomeOf(staging, { files, stats }, { startedMs, nowMs: clock.nowMs() });
  } finally {
    progress.end();
  }
}

async function fetchInto(
  staging: Staging,
  options: PullOptions,
  parts: PullParts,
): Promise<ReadonlyMap<number, Digest>> {
  const { layout, key, stats } = parts;
  const { journalled, paths } = staging;
  for (const [id, there] of journalled.entries()) {
    if (staging.reused.has(id)) stats.staged(id);
    else if (there === 1) stats.resumed(id);
  }
  const unsure = staging.unknownFiles ? [...journalled.keys()] : [];
  const { freeSpace = freeBytes, openDisk = openFolderDisk } = options.components ?? {};
  const withRoom = staging.unknownFiles ? await chunksWithRoom(layout, paths.files) : journalled;
  await checkFreeSpace(layout, withRoom, { folder: paths.folder, freeSpace });
  const places: LocalPlace[] = [
    { name: 'models on this machine', local: options.local },
    ...(options.alsoLocal ?? []),
    { name: 'unfinished transfers on this machine', local: stagedChunks(options.staging, key) },
  ];
  const local = unsure.length > 0 ? [] : await findLocalSources(layout, journalled, places);
  const { signal, limiter } = options;
  const job = { layout, filesFolder: paths.files, journalPath: paths.journal, journalled, sums: staging.sums };
  return await fetchChunks(
    { ...parts, log: options.log ?? silentLog },
    {
      ...{ pool: poolOf(options.sources), local, unsure, limiter, signal, present: journalled },
      openDisk: (onEvents) => openDisk(job, onEvents),
    },
  );
}

function outcomeOf(
  staging: Staging,
  { files, stats }: { readonly files: Manifest['files']; readonly stats: TransferStats },
  time: { startedMs: number; nowMs: number },
): PullOutcome {
  const { transferredBytes, reusedBytes, resumedBytes, refetchedChunks, duplicateBytes, dropped } = stats;
  return {
    filesFolder: staging.paths.files,
    files,
    transferredBytes,
    reusedBytes,
    resumedBytes,
    refetchedChunks,
    duplicateBytes,
    seconds: (time.nowMs - time.startedMs) / 1000,
    bytesPerSource: stats.bytesPerSource(),
    lanes: stats.bytesPerLane(time.nowMs),
    dropped: [...dropped],
    release: () => staging.end(),
  };
}
