import type { Clock } from '@model-rtc/protocol';
import { PROGRESS_HEARTBEAT_MS, PROGRESS_INTERVAL_MS } from '../limits.ts';

import { inProportion, RateMeter } from './rate-meter.ts';
import type { DroppedSource, LaneBytes, SourceBytes, TransferStats } from './stats.ts';

/** What every event has. All are bytes of the model, in whole numbers. */
export interface TransferCounts {
  /** On disk and right: reused, resumed and transferred bytes, minus what turned out wrong on the disk. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** This disk had them: in other models, in other attempts, or more than once in this model. */
  readonly reusedBytes: number;
  /** An earlier attempt at this model had fetched them. */
  readonly resumedBytes: number;
  /** They came over the network. With the reused and resumed ones they are `doneBytes`. */
  readonly transferredBytes: number;
  /** Came over the network in vain, and are in no other count: duplicates, wrong chunks, and what had to be fetched again. */
  readonly wastedBytes: number;
  /** What came over the network a second, over the last 5 s. The rates of the lanes add up to it. */
  readonly bytesPerSecond: number;
  /** Undefined while it cannot be estimated. */
  readonly secondsLeft: number | undefined;
  /** Came although they were there already: at the end some chunks are asked from two sources. Not in the other counts. */
  readonly duplicateBytes: number;
  readonly sources: readonly SourceBytes[];
  readonly lanes: readonly LaneBytes[];
  readonly dropped: readonly DroppedSource[];
}

export type TransferStage =
  /** `waiting_for_lock`: another process is fetching the same model. `checking_disk`: looking which chunks are there. */
  | { readonly state: 'preparing'; readonly reason?: 'waiting_for_lock' | 'checking_disk' | undefined }
  /** `warning` is set after 30 s without a right chunk. */
  | { readonly state: 'transferring'; readonly warning?: StallWarning | undefined }
  /** All chunks are there; whole files are hashed and flushed. */
  | { readonly state: 'verifying'; readonly hashedBytes: number }
  | { readonly state: 'completed' };

export interface StallWarning {
  readonly kind: 'stalled';
  readonly quietMs: number;
  readonly message: string;
}

export type TransferProgress = TransferStage & TransferCounts;
export type OnTransferProgress = (progress: TransferProgress) => void;

/** Reports how far a transfer is: at once when the state changes, else at most ten times and at least once a second. */
export class ProgressReporter {
  readonly #stats: TransferStats;
  readonly #clock: Clock;
  readonly #tell: OnTransferProgress;
  readonly #rate: RateMeter;
  /** How fast the model grows here, whether from the network or from this disk. */
  readonly #growth: RateMeter;
  readonly #stop: () => void;
  #stage: TransferStage = { state: 'preparing' };
  #toldMs = Number.NEGATIVE_INFINITY;
  #toldVersion = -1;

  constructor(stats: TransferStats, clock: Clock, tell: OnTransferProgress = () => {}) {
    this.#stats = stats;
    this.#clock = clock;
    this.#tell = tell;
    this.#rate = new RateMeter(clock.nowMs());
    this.#growth = new RateMeter(clock.nowMs());
    this.#emit();
    this.#stop = clock.every(PROGRESS_INTERVAL_MS, () => this.#tick());
  }

  /** Reports the stage and the counts; the same state again is reported with the next tick. */
  enter(stage: TransferStage): void {
    const changed = JSON.stringify(stage) !== JSON.stringify(this.#stage);
    const urgent = changed && (stage.state !== this.#stage.state || 'warning' in stage || 'reason' in stage);
    this.#stage = stage;
    if (urgent) this.#emit();
  }

  /** Reports what came since the last event, so that sums over several attempts include the end of a failed one. */
  end(): void {
    this.#stop();
    if (this.#stats.version !== this.#toldVersion) this.#emit();
  }

  #tick(): void {
    const dueForChange = this.#stats.version !== this.#toldVersion;
    if (dueForChange || this.#clock.nowMs() - this.#toldMs >= PROGRESS_HEARTBEAT_MS) this.#emit();
  }

  #emit(): void {
    this.#toldMs = this.#clock.nowMs();
    this.#toldVersion = this.#stats.version;
    const {
      doneBytes,
      totalBytes,
      reusedBytes,
      resumedBytes,
      transferredBytes,
      wastedBytes,
      duplicateBytes,
      hashedBytes,
    } = this.#stats;
    const bytesPerSecond = this.#rate.bytesPerSecond(transferredBytes + wastedBytes, this.#toldMs);
    const growth = this.#growth.bytesPerSecond(this.#stats.gainedBytes, this.#toldMs);
    const left = totalBytes - doneBytes;
    const stage = this.#stage.state === 'verifying' ? { ...this.#stage, hashedBytes } : this.#stage;
    this.#tell({
      ...stage,
      doneBytes,
      totalBytes,
      reusedBytes,
      resumedBytes,
      transferredBytes,
      wastedBytes,
      bytesPerSecond,
      secondsLeft: this.#secondsLeft(left, growth),
      duplicateBytes,
      sources: this.#stats.bytesPerSource(),
      lanes: inProportion(this.#stats.bytesPerLane(this.#toldMs), bytesPerSecond),
      dropped: [...this.#stats.dropped],
    });
  }

  #secondsLeft(bytes: number, bytesPerSecond: number): number | undefined {
    if (bytes === 0) return 0;
    return bytesPerSecond > 0 ? Math.ceil(bytes / bytesPerSecond) : undefined;
  }
}
