import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Disk, DiskListener } from '../disk/disk.ts';
import { digestOf, type Layout } from '../layout/layout.ts';
import { PROGRESS_INTERVAL_MS, STALL_ABORT_MS, STALL_WARNING_MS } from '../limits.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { LocalSource } from '../sources/local-chunks.ts';
import type { ChunkSource } from '../sources/source.ts';
import type { PoolChange, SourcePool } from '../sources/source-pool.ts';
import type { ChunkBuffer } from './assembly.ts';
import type { Clock } from './clock.ts';
import { neverRight, noSourceLeft, timedOut, withState } from './end-errors.ts';
import type { ProgressReporter } from './progress.ts';
import { type RunnerListener, type RunnerParts, SourceRunner } from './source-runner.ts';
import type { Tally } from './tally.ts';
import type { Watchdog } from './watchdog.ts';

export interface FetchParts {
  readonly layout: Layout;
  readonly schedule: Schedule;
  readonly tally: Tally;
  readonly progress: ProgressReporter;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Log;
}

export interface FetchTask {
  /** Sources that can give any chunk; they may come and go. */
  readonly pool: SourcePool;
  /** Sources on this machine, each asked for its own chunks only. */
  readonly local: readonly LocalSource[];
  /** Chunks that may be in the files already, though the journal does not say so. */
  readonly unsure: readonly number[];
  readonly signal: AbortSignal | undefined;
}

/** What ends a source without it having done wrong. */
const LOSSES: readonly string[] = ['network', 'timeout', 'cancelled'];

/**
 * Brings every chunk onto the disk: joins the schedule, the sources and the disk. One is used once: `run` to its end.
 */
export class FetchSession implements DiskListener, RunnerListener {
  readonly #parts: FetchParts;
  readonly #runners: SourceRunner[] = [];
  /** The sources that have no chunks of their own: those that can give any chunk. */
  readonly #general = new Map<ChunkSource, SourceRunner>();
  /** Whose chunk the disk is writing. */
  readonly #writing = new Map<number, SourceRunner>();
  #disk: Disk | undefined;
  #pool: SourcePool | undefined;
  #lastError: ModelRtcError | undefined;
  #unsure = 0;
  #warned = false;
  #settle: ((error?: ModelRtcError) => void) | undefined;
  /** Settles when every file has its SHA-256, or when nothing more can be done. */
  readonly #ended: Promise<void>;

  constructor(parts: FetchParts) {
    this.#parts = parts;
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // The disk may fail before `run` waits for it.
    this.#ended.catch(() => {});
  }

  /** @throws ModelRtcError the reason why the model is not whole; what arrived is in the files and the journal. */
  async run(disk: Disk, task: FetchTask): Promise<void> {
    this.#disk = disk;
    this.#pool = task.pool;
    const { clock } = this.#parts;
    const onAbort = (): void => this.#end(ModelRtcError.from(task.signal?.reason));
    task.signal?.addEventListener('abort', onAbort, { once: true });
    const stopListening = task.pool.onChange((change) => this.#poolChanged(change));
    const stopTimer = clock.every(PROGRESS_INTERVAL_MS, () => this.#tick());
    try {
      if (task.signal?.aborted) onAbort();
      else this.#start(disk, task);
      await this.#ended;
    } finally {
      stopListening();
      stopTimer();
      task.signal?.removeEventListener('abort', onAbort);
      const over = new ModelRtcError('cancelled', 'The transfer is over.');
      for (const runner of this.#runners) runner.stop(over);
    }
  }

  // What the disk says.

  verified(chunk: number): void {
    const { schedule, tally, watchdog } = this.#parts;
    const runner = this.#writing.get(chunk);
    this.#writing.delete(chunk);
    if (runner === undefined) return;
    schedule.verified(runner.number, chunk);
    tally.fetched(chunk, runner.source);
    watchdog.progressed();
    this.#warned = false;
    runner.progressed();
    runner.fill();
    this.#enterStage();
  }

  wrong(chunk: number): void {
    const runner = this.#writing.get(chunk);
    this.#writing.delete(chunk);
    if (runner !== undefined) this.missed(runner, chunk);
  }

  checked(chunk: number, present: boolean): void {
    const { schedule, tally, watchdog } = this.#parts;
    watchdog.progressed();
    this.#unsure--;
    if (present) {
      schedule.found(chunk);
      tally.resumed(chunk);
    } else {
      schedule.release(chunk);
      this.#fillAll();
    }
    this.#enterStage();
  }

  lost(chunks: readonly number[]): void {
    const { schedule, tally, log } = this.#parts;
    log.warn({ chunks: chunks.length }, 'chunks on the disk are not as they were written; they are fetched again');
    schedule.lost(chunks);
    for (const chunk of chunks) tally.lost(chunk);
    this.#fillAll();
    this.#enterStage();
  }

  hashed(bytes: number): void {
    this.#parts.tally.hashed(bytes);
  }

  whole(): void {
    this.#end();
  }

  failed(error: ModelRtcError): void {
    this.#end(withState(error, this.#parts.tally));
  }

  // What the sources say.

  arrived(runner: SourceRunner, chunk: number, buffer: ChunkBuffer): void {
    this.#parts.schedule.arrived(runner.number, chunk);
    this.#writing.set(chunk, runner);
    this.#disk?.store(chunk, buffer);
  }

  missed(runner: SourceRunner, chunk: number): void {
    const { schedule, tally, log } = this.#parts;
    const verdict = schedule.missed(runner.number, chunk);
    if (this.#general.has(runner.source)) {
      tally.refetched();
      log.warn(
        { source: runner.source.name, chunk: digestOf(this.#parts.layout, chunk) },
        'a chunk did not come right',
      );
    }
    if (verdict === 'give_up') this.#end(neverRight(this.#parts.layout, chunk, runner.source.name));
    else this.#fillAll();
  }

  dropped(runner: SourceRunner, error: ModelRtcError): void {
    const { schedule, tally, log } = this.#parts;
    log.warn({ source: runner.source.name, code: error.code, reason: error.message }, 'a source is no longer used');
    schedule.drop(runner.number);
    if (this.#general.delete(runner.source)) {
      this.#lastError = error;
      if (!LOSSES.includes(error.code)) tally.drop(runner.source.name, error.message);
      this.#pool?.remove(runner.source, error);
    }
    // The source's model is another one now: what else it would give is not of this model.
    if (error.code === 'source_changed') this.#end(error);
    else this.#fillAll();
  }

  #start(disk: Disk, { pool, local, unsure }: FetchTask): void {
    const { schedule } = this.#parts;
    const parts = this.#runnerParts();
    this.#unsure = unsure.length;
    schedule.hold(unsure);
    disk.check(unsure);
    for (const { source, chunks } of local) {
      this.#runners.push(new SourceRunner(source, schedule.addSource(source.name, chunks), parts));
    }
    for (const source of pool.sources) this.#join(source);
    this.#enterStage();
    this.#fillAll();
  }

  #join(source: ChunkSource): void {
    const { schedule, tally, clock } = this.#parts;
    const runner = new SourceRunner(source, schedule.addSource(source.name), this.#runnerParts());
    this.#runners.push(runner);
    this.#general.set(source, runner);
    tally.joined(source, clock.nowMs());
  }

  #runnerParts(): RunnerParts {
    const { layout, schedule, clock } = this.#parts;
    return { layout, schedule, buffers: this.#disk as Disk, clock, listener: this };
  }

  #poolChanged(change: PoolChange): void {
    if (change.type === 'added') this.#join(change.source);
    else if (change.type === 'removed') this.#left(change.source, change.error);
    this.#fillAll();
  }

  /** Its owner took the source out of the pool. */
  #left(source: ChunkSource, error: ModelRtcError | undefined): void {
    const runner = this.#general.get(source);
    if (runner === undefined) return;
    runner.stop(error ?? new ModelRtcError('network', `The connection to ${source.name} was closed.`));
    this.#lastError = runner.error;
    this.#general.delete(source);
    this.#parts.schedule.drop(runner.number);
  }

  #fillAll(): void {
    // One request each in turn, so that the first source does not get all that is left.
    let asking = [...this.#runners];
    while (asking.length > 0) asking = asking.filter((runner) => runner.askOnce());
    if (this.#general.size > 0 || !this.#pool?.ended || !this.#parts.schedule.someMissing) return;
    this.#end(this.#pool.error ?? noSourceLeft(this.#lastError));
  }

  #enterStage(): void {
    const { schedule, progress } = this.#parts;
    if (schedule.allPresent) progress.enter({ state: 'verifying', hashedBytes: 0 });
    else if (this.#unsure > 0) progress.enter({ state: 'preparing', reason: 'checking_disk' });
    else if (!this.#warned) progress.enter({ state: 'transferring' });
  }

  #tick(): void {
    const { schedule, watchdog, progress, log } = this.#parts;
    // Hashing and flushing take their time on a slow disk, and no chunk is due meanwhile.
    if (schedule.allPresent || this.#unsure > 0) {
      watchdog.progressed();
      return;
    }
    for (const runner of this.#runners) runner.checkStall();
    const { quietMs } = watchdog;
    if (quietMs >= STALL_ABORT_MS) this.#end(timedOut(this.#lastError, this.#parts.tally));
    if (quietMs < STALL_WARNING_MS || this.#warned) return;
    this.#warned = true;
    const message = `No data came for ${Math.round(quietMs / 1000)} s; the transfer is given up after ${STALL_ABORT_MS / 1000} s.`;
    log.warn({ quietMs }, message);
    progress.enter({ state: 'transferring', warning: { kind: 'stalled', quietMs, message } });
  }

  #end(error?: ModelRtcError): void {
    this.#settle?.(error);
  }
}
