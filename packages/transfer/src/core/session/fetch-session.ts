import { type Digest, deferred, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkBuffer } from '../disk/buffer-pool.ts';
import { Disk, type DiskListener } from '../disk/disk.ts';
import { digestOf, isRange, sizeOf } from '../layout/layout.ts';
import { PROGRESS_INTERVAL_MS } from '../limits.ts';
import { Schedule } from '../schedule/schedule.ts';
import { AskGate } from './ask-gate.ts';
import type { Miss } from './chunk-request.ts';
import { fileNeverRight, neverRight, pathOf, sentWrongBytes, withState } from './end-errors.ts';
import { RangeRules } from './range-rules.ts';
import { type RunnerListener, SourceRunner } from './source-runner.ts';
import { originOf, SourceSet } from './source-set.ts';
import { StallWatch } from './stall-watch.ts';
import type { FetchParts, FetchTask } from './types.ts';

/** A chunk that came whole, and the source that gave it. */
interface Given {
  readonly runner: SourceRunner;
  readonly buffer: ChunkBuffer;
}

/** Brings every chunk of a layout onto a disk of any kind: connects the schedule, the sources and the disk. Each session is run once. */
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
  readonly #fileHashes = new Map<number, Digest>();
  readonly #stall: StallWatch;
  #disk: Disk | undefined;
  #unsure: number;
  /** Settles when every file has its hash, or when nothing more can be done. */
  readonly #ended = deferred<void>();

  constructor(given: Omit<FetchParts, 'schedule' | 'rules'>, task: FetchTask) {
    const { layout } = given;
    const rules = layout.ranges === undefined ? undefined : new RangeRules(layout);
    const parts = { ...given, rules, schedule: new Schedule(layout.sizes, task.present, rules) };
    this.#parts = parts;
    this.#task = task;
    this.#unsure = task.unsure.length;
    this.#stall = new StallWatch(parts);
    this.#gate = new AskGate(task.limiter, () => this.#fillAll());
    this.#sources = new SourceSet(parts, task.pool, (source, number, flow) => {
      const { schedule, clock } = parts;
      const gate = source.isLimited === false ? undefined : this.#gate;
      return new SourceRunner(source, number, {
        ...{ layout, schedule, clock, gate, flow, listener: this },
        buffers: this.#disk as Disk,
      });
    });
    // The disk may fail before `run` waits for it.
    this.#ended.promise.catch(() => {});
  }

  /**
   * Returns when all files are right and flushed. The disk is closed in any case, with everything that came kept.
   * @returns by number, the SHA-256 of the files that the layout has none of
   * @throws ModelRtcError the reason why the model is not whole
   */
  async run(): Promise<ReadonlyMap<number, Digest>> {
    const { progress, stats } = this.#parts;
    const { openDisk, signal } = this.#task;
    const disk = new Disk(openDisk, this);
    this.#disk = disk;
    try {
      await this.#untilAllThere(disk);
      progress.enter({ state: 'verifying', hashedBytes: stats.hashedBytes });
      await disk.flush();
      if (signal?.aborted) throw ModelRtcError.from(signal.reason);
      return this.#fileHashes;
    } finally {
      await disk.close();
    }
  }

  async #untilAllThere(disk: Disk): Promise<void> {
    const { signal, pool } = this.#task;
    const onAbort = (): void => this.#end(ModelRtcError.from(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    const stopListening = pool.onChange((change) => {
      this.#sources.follow(change);
      this.#fillAll();
    });
    const stopTimer = this.#parts.clock.every(PROGRESS_INTERVAL_MS, () => this.#tick());
    try {
      if (signal?.aborted) onAbort();
      else this.#start(disk);
      await this.#ended.promise;
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
    const { schedule, rules, stats, clock } = this.#parts;
    const runner = this.#writing.get(chunk);
    this.#writing.delete(chunk);
    if (runner === undefined) return;
    rules?.gave(chunk, originOf(runner.source));
    const others = schedule.verified(runner.number, chunk, clock.nowMs());
    stats.fetched(chunk, runner.source);
    this.#stall.progressed();
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
    log.warn({ file: path, source: name }, `${path} came from ${name} with another hash than it should have`);
    this.#takeBack(ranges);
    const verdict = origin === undefined ? 'again' : schedule.blame(origin);
    if (wrong?.isHopeless) this.#end(fileNeverRight(path, name));
    else if (verdict === 'drop_origin') this.#sources.ban({ name, origin }, sentWrongBytes(name));
    if (!wrong?.isHopeless) this.#fillAll();
    this.#enterStage();
  }

  fileHash(file: number, sha256: Digest): void {
    this.#fileHashes.set(file, sha256);
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
      log.warn({ source: name, chunk: digestOf(layout, chunk) }, `a chunk did not come right from ${name}`);
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
    if (runner.source.givesWay) schedule.givesWay(runner.number);
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
    // One request each in turn: none takes all that is left or allowed.
    let asking = this.#sources.inTurn();
    while (asking.length > 0) asking = asking.filter((runner) => runner.askOnce());
    const why = this.#parts.schedule.someMissing ? this.#sources.exhausted : undefined;
    if (why !== undefined) this.#end(why);
  }

  #enterStage(): void {
    const { schedule, progress } = this.#parts;
    if (schedule.allPresent) progress.enter({ state: 'verifying', hashedBytes: 0 });
    else if (this.#unsure > 0) progress.enter({ state: 'preparing', reason: 'checking_disk' });
    else if (!this.#stall.isWarned) progress.enter({ state: 'transferring' });
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
    const why = this.#stall.look(this.#sources);
    if (why !== undefined) this.#end(why);
  }

  #end(error?: ModelRtcError): void {
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
  }
}
