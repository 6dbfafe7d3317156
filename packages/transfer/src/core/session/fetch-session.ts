import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkBuffer } from '../disk/buffer-pool.ts';
import type { Disk, DiskListener } from '../disk/disk.ts';
import { digestOf, isRange, sizeOf } from '../layout/layout.ts';
import { PROGRESS_INTERVAL_MS, SLOW_ABORT_MS, STALL_ABORT_MS, STALL_WARNING_MS } from '../limits.ts';
import type { PoolChange } from '../sources/source-pool.ts';
import { AskGate } from './ask-gate.ts';
import type { Miss } from './chunk-request.ts';
import { fileNeverRight, neverRight, pathOf, sentWrongBytes, stallWarning, timedOut, withState } from './end-errors.ts';
import { SlowFlow } from './origin-flow.ts';
import { type RunnerListener, SourceRunner } from './source-runner.ts';
import { originOf, SourceSet } from './source-set.ts';
import type { FetchParts, FetchTask } from './types.ts';

/** A chunk that came whole, and the source that gave it. */
interface Given {
  readonly runner: SourceRunner;
  readonly buffer: ChunkBuffer;
}

/**
 * Brings every chunk onto the disk: connects the schedule, the sources and the disk. Each session is run once.
 */
export class FetchSession implements DiskListener, RunnerListener {
  readonly #parts: FetchParts;
  readonly #task: FetchTask;
  readonly #sources: SourceSet;
  readonly #gate: AskGate;
  /** Who gave the chunks that the disk is writing. */
  readonly #writing = new Map<number, SourceRunner>();
  /** Chunks from a second source, kept while those of the first are checked, which may be wrong. */
  readonly #spare = new Map<number, Given>();
  /** The SHA-256 of files that the layout has none of. */
  readonly fileHashes = new Map<number, Digest>();
  readonly #flow: SlowFlow;
  #disk: Disk | undefined;
  #unsure: number;
  #warned = false;
  #settle: ((error?: ModelRtcError) => void) | undefined;
  /** Settles when every file has its hash, or when nothing more can be done. */
  readonly #ended: Promise<void>;

  constructor(parts: FetchParts, task: FetchTask) {
    this.#parts = parts;
    this.#task = task;
    this.#unsure = task.unsure.length;
    this.#flow = new SlowFlow(parts.clock);
    this.#gate = new AskGate(task.limiter, () => this.#fillAll());
    this.#sources = new SourceSet(parts, task.pool, (source, number, flow) => {
      const { layout, schedule, clock } = parts;
      const gate = source.isLimited === false ? undefined : this.#gate;
      return new SourceRunner(source, number, {
        ...{ layout, schedule, clock, gate, flow, listener: this },
        buffers: this.#disk as Disk,
      });
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // The disk may fail before `run` waits for it.
    this.#ended.catch(() => {});
  }

  /** @throws ModelRtcError the reason why the model is not whole; what arrived is in the files and the journal */
  async run(disk: Disk): Promise<void> {
    this.#disk = disk;
    const { signal, pool } = this.#task;
    const onAbort = (): void => this.#end(ModelRtcError.from(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    const stopListening = pool.onChange((change) => this.#poolChanged(change));
    const stopTimer = this.#parts.clock.every(PROGRESS_INTERVAL_MS, () => this.#tick());
    try {
      if (signal?.aborted) onAbort();
      else this.#start(disk);
      await this.#ended;
    } finally {
      stopTimer();
      stopListening();
      signal?.removeEventListener('abort', onAbort);
      this.#gate.close();
      this.#sources.stop();
    }
  }

  // What the disk says.

  verified(chunk: number): void {
    const { schedule, rules, stats, watchdog, clock } = this.#parts;
    const runner = this.#writing.get(chunk);
    this.#writing.delete(chunk);
    if (runner === undefined) return;
    rules?.gave(chunk, originOf(runner.source));
    const others = schedule.verified(runner.number, chunk, clock.nowMs());
    stats.fetched(chunk, runner.source);
    watchdog.progressed();
    this.#warned = false;
    runner.progressed();
    this.#callBack(chunk, others);
    runner.fill();
    this.#enterStage();
  }

  wrong(chunk: number): void {
    const runner = this.#writing.get(chunk);
    this.#writing.delete(chunk);
    if (runner !== undefined) this.missed(runner, chunk, 'wrong');
    const spare = this.#spare.get(chunk);
    if (spare === undefined) return;
    this.#spare.delete(chunk);
    this.#store(spare.runner, chunk, spare.buffer);
  }

  checked(chunk: number, present: boolean): void {
    const { schedule, stats, watchdog } = this.#parts;
    watchdog.progressed();
    this.#unsure--;
    if (present) {
      schedule.found(chunk);
      stats.resumed(chunk);
    } else {
      schedule.release(chunk);
      this.#fillAll();
    }
    this.#enterStage();
  }

  lost(chunks: readonly number[]): void {
    this.#parts.log.warn({ chunks: chunks.length }, 'chunks on the disk are not as they were written');
    this.#takeBack(chunks);
    this.#fillAll();
    this.#enterStage();
  }

  /** A file or span came wrong: its ranges are fetched again, from whoever is to be believed. */
  wrongWhole(whole: number, ranges: readonly number[]): void {
    const { layout, schedule, rules, log } = this.#parts;
    const wrong = rules?.wrong(whole, ranges, this.#sources.rangeOrigins());
    const origin = wrong?.culprit;
    const name = this.#sources.namesOf(origin);
    const path = pathOf(layout, ranges[0] ?? 0);
    log.warn({ file: path, source: name }, 'a file came with another hash than it should have');
    this.#takeBack(ranges);
    const verdict = origin === undefined ? 'again' : schedule.blame(origin);
    if (wrong?.isHopeless) this.#end(fileNeverRight(path, name));
    else if (verdict === 'drop_origin') this.#sources.ban({ name, origin }, sentWrongBytes(name));
    if (!wrong?.isHopeless) this.#fillAll();
    this.#enterStage();
  }

  fileHash(file: number, sha256: Digest): void {
    this.fileHashes.set(file, sha256);
  }

  hashed(bytes: number): void {
    this.#parts.stats.hashed(bytes);
  }

  whole(): void {
    this.#end();
  }

  failed(error: ModelRtcError): void {
    this.#end(withState(error, this.#parts.stats));
  }

  // What the sources say.

  arrived(runner: SourceRunner, chunk: number, buffer: ChunkBuffer): void {
    this.#parts.schedule.arrived(runner.number, chunk);
    if (this.#writing.has(chunk)) this.#spare.set(chunk, { runner, buffer });
    else this.#store(runner, chunk, buffer);
  }

  missed(runner: SourceRunner, chunk: number, how: Miss): void {
    const { layout, schedule, stats, clock, log } = this.#parts;
    const { name } = runner.source;
    const verdict = schedule.missed(runner.number, chunk, how === 'wrong' ? 'wrong' : 'lost', clock.nowMs());
    if (this.#sources.isGeneral(runner)) {
      stats.refetched();
      if (how === 'wrong') stats.wrong(chunk);
      log.warn({ source: name, chunk: digestOf(layout, chunk) }, 'a chunk did not come right');
    }
    if (verdict === 'give_up') {
      this.#end(neverRight(layout, chunk, how, name));
      return;
    }
    if (verdict === 'drop_origin') this.#sources.ban(runner.source, sentWrongBytes(name));
    this.#fillAll();
  }

  lacking(runner: SourceRunner, chunks: readonly number[], askAgainMs: number): void {
    const { layout, schedule } = this.#parts;
    for (const chunk of chunks) schedule.lacking(runner.number, chunk, askAgainMs);
    if (chunks.some((chunk) => isRange(layout, chunk))) this.#sources.passOver(runner);
    this.#fillAll();
  }

  unwanted(bytes: number): void {
    this.#parts.stats.duplicate(bytes);
  }

  dropped(runner: SourceRunner, error: ModelRtcError): void {
    // The source has a different model now, over any of its lanes; others may still have this one.
    if (error.code === 'source_changed' && this.#sources.isGeneral(runner)) this.#sources.ban(runner.source, error);
    else this.#sources.drop(runner, error);
    this.#fillAll();
  }

  #start(disk: Disk): void {
    const { local, unsure } = this.#task;
    this.#parts.schedule.hold(unsure);
    disk.check(unsure);
    this.#sources.start(local);
    this.#enterStage();
    this.#fillAll();
  }

  #poolChanged(change: PoolChange): void {
    this.#sources.follow(change);
    this.#fillAll();
  }

  #store(runner: SourceRunner, chunk: number, buffer: ChunkBuffer): void {
    this.#writing.set(chunk, runner);
    this.#disk?.store(chunk, buffer);
  }

  /** These chunks have to be fetched again. */
  #takeBack(chunks: readonly number[]): void {
    this.#parts.schedule.lost(chunks);
    for (const chunk of chunks) this.#parts.stats.lost(chunk);
  }

  /** The chunk is there: calls back what others were asked for of it, and drops what they gave. */
  #callBack(chunk: number, others: readonly number[]): void {
    const spare = this.#spare.get(chunk);
    if (spare !== undefined) {
      this.#spare.delete(chunk);
      this.#disk?.giveBack(spare.buffer);
      this.unwanted(sizeOf(this.#parts.layout, chunk));
    }
    for (const other of others) {
      const runner = this.#sources.get(other);
      runner?.discard(chunk);
      runner?.fill();
    }
  }

  #fillAll(): void {
    this.#sources.fill();
    const why = this.#parts.schedule.someMissing ? this.#sources.exhausted : undefined;
    if (why !== undefined) this.#end(why);
  }

  #enterStage(): void {
    const { schedule, progress } = this.#parts;
    if (schedule.allPresent) progress.enter({ state: 'verifying', hashedBytes: 0 });
    else if (this.#unsure > 0) progress.enter({ state: 'preparing', reason: 'checking_disk' });
    else if (!this.#warned) progress.enter({ state: 'transferring' });
  }

  #tick(): void {
    const { schedule, watchdog } = this.#parts;
    // No chunk is due while a slow disk hashes and flushes, or while the limiter allows none.
    if (schedule.allPresent || this.#unsure > 0 || (this.#gate.waiting && !schedule.someAsked)) {
      watchdog.progressed();
      return;
    }
    this.#sources.checkStalls();
    // By now an idle source may be asked for what another one does not bring, or for what it did not have before.
    this.#fillAll();
    this.#warnOrGiveUp(watchdog.quietMs);
  }

  #warnOrGiveUp(quietMs: number): void {
    const { progress, log, stats } = this.#parts;
    this.#flow.look(this.#sources.receivedBytes);
    const { isFlowing } = this.#flow;
    if (quietMs >= (isFlowing ? SLOW_ABORT_MS : STALL_ABORT_MS)) {
      const empty = isFlowing ? [] : this.#sources.emptyNames();
      this.#end(timedOut({ isFlowing, empty }, this.#sources.lastError, stats));
    }
    if (isFlowing || quietMs < STALL_WARNING_MS || this.#warned) return;
    this.#warned = true;
    const warning = stallWarning(quietMs);
    // The progress tells people; a warning in the log would say it a second time.
    log.info({ quietMs }, warning.message);
    progress.enter({ state: 'transferring', warning });
  }

  #end(error?: ModelRtcError): void {
    this.#settle?.(error);
  }
}
