import { freeBytes, type Lock } from '@model-rtc/files';
import {
  type Clock,
  type Digest,
  type Manifest,
  type ModelContents,
  type ModelEntry,
  ModelRtcError,
  silentLog,
  systemClock,
} from '@model-rtc/protocol';
import type { OpenDiskPort } from '../core/disk/disk-port.ts';
import type { FetchControls } from '../core/fetch-model.ts';
import { contentsKey } from '../core/layout/contents-key.ts';
import { type Layout, planLayoutInSlices } from '../core/layout/layout.ts';
import { verifiedFiles } from '../core/layout/verified-files.ts';
import { FetchSession } from '../core/session/fetch-session.ts';
import { ProgressReporter } from '../core/session/progress.ts';
import type { DroppedSource, LaneBytes, SourceBytes } from '../core/session/stats.ts';
import { TransferStats } from '../core/session/stats.ts';
import type { FetchTask } from '../core/session/types.ts';
import { Watchdog } from '../core/session/watchdog.ts';
import { findLocalSources, type LocalChunks, type LocalPlace } from '../core/sources/local-chunks.ts';
import { findLocalFiles, type LocalFiles } from '../core/sources/local-files.ts';
import { poolOf } from '../core/sources/source-pool.ts';
import type { FolderJob } from './disk/folder-disk.ts';
import { openFolderDisk } from './disk/thread-port.ts';
import { registeredFiles } from './local-files.ts';
import { findLocalSpans, type LocalModels } from './local-spans.ts';
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

export interface PullOptions extends FetchControls {
  /** What is known of the model. If it has a digest, the files must be those of that digest. */
  readonly contents: ModelContents;
  /** The registry's staging folder. */
  readonly staging: string;
  /** Where chunks may be on this machine: a `Registry`. */
  readonly local: LocalChunks;
  /** Other places on this machine where they may be. */
  readonly alsoLocal?: readonly LocalPlace[] | undefined;
  /** Models on this machine that may have what is listed in spans, however they are cut themselves: the `localModels` of a registry. */
  readonly localModels?: LocalModels | undefined;
  /** Other places on this machine that have whole files, known by their hashes. */
  readonly localFiles?: readonly LocalFiles[] | undefined;
  /** Where whole files may be that need no copy: the `ownFiles` of a registry. */
  readonly ownFiles?: OwnFiles | undefined;
  /** What the other side says about the model, for those who ask while it is being fetched. */
  readonly entry?: ModelEntry | undefined;
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
}

/**
 * Locks the staging folder of a model that is to be fetched: waits until no other process fetches the same one. Another process may
 * have brought the model by then, so look whether it is still needed before the fetch.
 *
 * @throws ModelRtcError `cancelled`, `storage`
 */
export async function openPull(options: PullOptions): Promise<Pull> {
  const pulling = new Pull(options, await planLayoutInSlices(options.contents));
  await pulling.lock();
  return pulling;
}

/** One attempt to fetch a model. Dispose of it when the files were moved out of the staging folder, or are not needed. */
export class Pull {
  readonly #options: PullOptions;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #layout: Layout;
  /** The name that the state is kept under. */
  readonly #key: Digest;
  readonly #stats: TransferStats;
  readonly #watchdog: Watchdog;
  readonly #progress: ProgressReporter;
  #held: Lock | undefined;
  #release: () => Promise<void> = async () => {};

  constructor(options: PullOptions, layout: Layout) {
    this.#options = options;
    this.#clock = options.components?.clock ?? systemClock;
    this.#startedMs = this.#clock.nowMs();
    this.#layout = layout;
    this.#key = contentsKey(options.contents);
    this.#stats = new TransferStats(this.#layout);
    this.#watchdog = options.watchdog ?? new Watchdog(this.#clock);
    this.#progress = new ProgressReporter(this.#stats, this.#clock, options.onProgress);
  }

  /** As `openPull` does. */
  async lock(): Promise<void> {
    const { staging, signal } = this.#options;
    const key = this.#key;
    let waited = false;
    const onWait = (): void => {
      waited = true;
      this.#progress.enter({ state: 'preparing', reason: 'waiting_for_lock' });
    };
    try {
      const held = await lockStaging({ staging, key, signal, onWait });
      this.#held = held;
      this.#release = () => leaveStaging(staging, key, held);
      // Time spent waiting for another process is not time without data.
      if (waited) this.#watchdog.progressed();
    } catch (error) {
      this.#progress.end();
      throw error;
    }
  }

  /**
   * Fetches the model's chunks onto this disk, from what is there already and from the sources, and verifies every chunk and
   * every file. Ends with all files in a staging folder, or with an error that leaves the state for the next attempt: the
   * same call resumes, even after kill -9.
   *
   * @throws ModelRtcError the last source's error when none is left (`network` mostly), `verification_failed` naming file and
   * source, `source_changed` when the model changed at the last source that had it, `storage_full`, `storage`, `timeout` after
   * 2 min without data, `cancelled`, `invalid_model` when the contents are not those of the digest, or some bytes could never
   * be verified.
   */
  async fetch(): Promise<PullOutcome> {
    const { staging: folder, contents, entry, ownFiles, signal, log = silentLog } = this.#options;
    const parts = { layout: this.#layout, stats: this.#stats, progress: this.#progress, watchdog: this.#watchdog };
    const held = this.#held as Lock;
    // A failure unlocks and keeps what came.
    this.#release = async () => {};
    const staged = { staging: folder, key: this.#key, contents, layout: this.#layout, entry, ownFiles, held, signal };
    const staging = await openStaging(staged);
    try {
      const task = await this.#taskOn(staging);
      const session = new FetchSession({ ...parts, clock: this.#clock, log }, task);
      const files = verifiedFiles(this.#layout, await session.run());
      this.#progress.enter({ state: 'completed' });
      this.#progress.end();
      this.#release = () => staging.end();
      return this.#outcome(staging.paths.files, files);
    } catch (error) {
      await staging.keep();
      throw ModelRtcError.from(error);
    }
  }

  /** Unlocks the staging folder, and removes it if it is empty or its files were moved out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress.end();
    await this.#release();
  }

  /** Counts what an earlier attempt left, checks the free space, and finds what else is on this disk. */
  async #taskOn(staging: Staging): Promise<FetchTask> {
    const {
      staging: folder,
      local: registry,
      alsoLocal = [],
      localModels,
      localFiles = [],
      sources,
      limiter,
      signal,
      components = {},
    } = this.#options;
    const layout = this.#layout;
    const { journalled, paths } = staging;
    for (const [id, there] of journalled.entries()) {
      if (staging.reused.has(id)) this.#stats.staged(id);
      else if (there === 1) this.#stats.resumed(id);
    }
    const unsure = staging.unknownFiles ? [...journalled.keys()] : [];
    const { freeSpace = freeBytes, openDisk = openFolderDisk } = components;
    const withRoom = staging.unknownFiles ? await chunksWithRoom(layout, paths.files) : journalled;
    await checkFreeSpace(layout, withRoom, { folder: paths.folder, freeSpace });
    const places: LocalPlace[] = [
      { name: 'models on this machine', local: registry },
      ...alsoLocal,
      { name: 'unfinished transfers on this machine', local: stagedChunks(folder, this.#key) },
    ];
    const local = unsure.length > 0 ? [] : await findLocalSources(layout, journalled, places);
    if (unsure.length === 0 && localModels !== undefined && layout.spans !== undefined) {
      this.#progress.enter({ state: 'preparing', reason: 'checking_disk' });
      const found = await findLocalSpans(layout, journalled, localModels, signal);
      if (found !== undefined) local.push(found);
      // Comparing what is here is not time without data.
      this.#watchdog.progressed();
    }
    if (unsure.length === 0) {
      const taken = new Set(local.flatMap(({ chunks }) => chunks));
      // The chunk index knows the models on this machine already, where chunks have digests.
      const isByFiles = layout.ranges !== undefined && layout.spans === undefined && localModels !== undefined;
      const filePlaces = [...(isByFiles ? [registeredFiles(localModels)] : []), ...localFiles];
      local.push(...(await findLocalFiles(layout, (id) => journalled[id] === 1 || taken.has(id), filePlaces, signal)));
    }
    const job = { layout, filesFolder: paths.files, journalPath: paths.journal, journalled, sums: staging.sums };
    return {
      ...{ pool: poolOf(sources), local, unsure, limiter, signal, present: journalled },
      openDisk: (onEvents) => openDisk(job, onEvents),
    };
  }

  #outcome(filesFolder: string, files: Manifest['files']): PullOutcome {
    const nowMs = this.#clock.nowMs();
    const { transferredBytes, reusedBytes, resumedBytes, refetchedChunks, duplicateBytes, dropped } = this.#stats;
    return {
      ...{ filesFolder, files },
      ...{ transferredBytes, reusedBytes, resumedBytes, refetchedChunks, duplicateBytes },
      seconds: (nowMs - this.#startedMs) / 1000,
      bytesPerSource: this.#stats.bytesPerSource(),
      lanes: this.#stats.bytesPerLane(nowMs),
      dropped: [...dropped],
    };
  }
}
