import { ModelRtcError } from '@model-rtc/protocol';
import { isRange, placesOf, sizeOf } from '../layout/layout.ts';
import type { DiskCommand, DiskEvent, DiskJob } from './disk-port.ts';
import { checkWholeSpans, SpanChecker } from './span-checker.ts';
import type { DiskParts } from './storage.ts';
import { type HashStep, WholeFileHasher } from './whole-file-hasher.ts';

/** Events are sent after this many bytes of work, so that buffers come back during a long batch. */
const TELL_AFTER_BYTES = 1024 * 1024;

/**
 * The engine of every disk, whatever holds its bytes: checks chunks, writes them, keeps the journal, hashes whole files.
 * Commands come first; in between it hashes what must be read back, one chunk at a time.
 */
export class DiskEngine {
  readonly #job: DiskJob;
  readonly #parts: DiskParts;
  readonly #tell: (events: readonly DiskEvent[]) => void;
  readonly #hasher: WholeFileHasher;
  /** Where ranges are parts of spans. */
  readonly #spans: SpanChecker | undefined;
  /** Checks the spans at the end, where the chunks are not cut from them. */
  readonly #lastCheck: Iterator<void> | undefined;
  readonly #buffers = new Map<number, Uint8Array>();
  #checks: number[] = [];
  #events: DiskEvent[] = [];
  #pending = false;
  #state: 'working' | 'whole' | 'ended' = 'working';

  constructor(job: DiskJob, parts: DiskParts, tell: (events: readonly DiskEvent[]) => void) {
    this.#job = job;
    this.#parts = parts;
    this.#tell = tell;
    const { layout, journalled } = job;
    const { spans } = layout;
    this.#spans = spans?.ofRange === undefined ? undefined : new SpanChecker(layout, spans, journalled, parts);
    this.#lastCheck = spans === undefined || this.#spans ? undefined : checkWholeSpans(layout, spans, parts);
    this.#hasher = new WholeFileHasher(job, parts, this.#spans);
    this.#workLater();
  }

  handle(commands: readonly DiskCommand[]): void {
    this.#guarded(() => {
      let bytes = 0;
      for (const command of commands) {
        bytes += this.#handle(command);
        if (bytes < TELL_AFTER_BYTES) continue;
        this.#report();
        bytes = 0;
      }
    });
    this.#workLater();
  }

  close(): void {
    this.#state = 'ended';
    this.#parts.files.close();
    this.#parts.journal.close();
  }

  #handle(command: DiskCommand): number {
    switch (command.type) {
      case 'store':
        return this.#store(command);
      case 'forget':
        this.#buffers.delete(command.buffer);
        return 0;
      case 'check':
        this.#checks.push(...command.chunks);
        return 0;
      case 'flush':
        void this.#flush();
        return 0;
    }
  }

  #store({ chunk, buffer, memory }: DiskCommand & { type: 'store' }): number {
    if (memory !== undefined) this.#buffers.set(buffer, memory);
    const { layout } = this.#job;
    const size = sizeOf(layout, chunk);
    const bytes = (this.#buffers.get(buffer) as Uint8Array).subarray(0, size);
    const sum = isRange(layout, chunk) ? this.#sumOf(bytes) : undefined;
    if (sum === undefined && !this.#hasher.matches(chunk, bytes)) {
      this.#events.push({ type: 'wrong', chunk, buffer });
      return size;
    }
    // A range that is there may be hashed already, so the first copy stays.
    const isThere = sum !== undefined && this.#hasher.isPresent(chunk);
    const hashed = isThere ? 0 : this.#write(chunk, bytes, sum);
    this.#events.push({ type: 'verified', chunk, buffer });
    if (hashed > 0) this.#events.push({ type: 'hashed', bytes: hashed });
    this.#tellFileHashes();
    return size;
  }

  /** Parts of spans need no sums: the span tells what the disk lost. */
  #sumOf(bytes: Uint8Array): number {
    return this.#spans === undefined ? this.#hasher.sumOf(bytes) : 0;
  }

  /** Returns how many bytes the whole-file hashes took in. */
  #write(chunk: number, bytes: Uint8Array, sum: number | undefined): number {
    for (const place of placesOf(this.#job.layout, chunk)) this.#parts.files.write(place, bytes);
    this.#settle(chunk, sum);
    if (sum === undefined || this.#spans === undefined) return this.#hasher.offer(chunk, bytes);
    this.#spans.written(chunk, bytes);
    return 0;
  }

  #settle(chunk: number, sum?: number): void {
    this.#hasher.proven(chunk, sum);
    this.#parts.journal.add(chunk, sum);
  }

  #workLater(): void {
    const hasWork = this.#state === 'working' || (this.#state === 'whole' && this.#checks.length > 0);
    if (!hasWork || this.#pending) return;
    this.#pending = true;
    this.#parts.later(this.#workNow);
  }

  readonly #workNow = (): void => {
    this.#pending = false;
    if (this.#guarded(() => this.#work()) === true) this.#workLater();
  };

  /** Does one piece of work between commands; false when there is none now. */
  #work(): boolean {
    const chunk = this.#checks.pop();
    if (chunk !== undefined) {
      const { layout } = this.#job;
      const span = isRange(layout, chunk) ? this.#spans : undefined;
      const present = span?.check(chunk) !== false && this.#hasher.isRight(chunk, placesOf(layout, chunk));
      if (present) this.#settle(chunk, span === undefined ? undefined : 0);
      this.#events.push({ type: 'checked', chunk, present });
      return true;
    }
    if (this.#state === 'whole') return false;
    if (this.#workOnSpans()) return true;
    const step = this.#hasher.step();
    this.#tellFileHashes();
    if (step.kind === 'waiting') return false;
    if (step.kind === 'lost' || step.kind === 'wrong_file') this.#lose(step);
    else if (step.kind === 'hashed') this.#events.push({ type: 'hashed', bytes: step.bytes });
    else if (this.#lastCheck === undefined || this.#lastCheck.next().done) {
      this.#state = 'whole';
      this.#events.push({ type: 'whole' });
      return false;
    }
    return true;
  }

  /** False when no span can be checked now. */
  #workOnSpans(): boolean {
    const step = this.#spans?.step() ?? { kind: 'waiting' };
    if (step.kind === 'lost' || step.kind === 'wrong') {
      this.#hasher.forget(step.chunks);
      for (const chunk of step.chunks) this.#parts.journal.remove(chunk);
      if (step.kind === 'lost') this.#events.push({ type: 'lost', chunks: step.chunks });
      else this.#events.push({ type: 'wrong_span', span: step.span, chunks: step.chunks });
    }
    return step.kind !== 'waiting';
  }

  #lose(step: HashStep & { kind: 'lost' | 'wrong_file' }): void {
    for (const chunk of step.chunks) if (isRange(this.#job.layout, chunk)) this.#parts.journal.remove(chunk);
    if (step.kind === 'lost') this.#events.push({ type: 'lost', chunks: step.chunks });
    else this.#events.push({ type: 'wrong_file', file: step.file, chunks: step.chunks });
  }

  #tellFileHashes(): void {
    for (const { file, sha256 } of this.#hasher.takeFound()) this.#events.push({ type: 'file_hash', file, sha256 });
  }

  async #flush(): Promise<void> {
    try {
      await this.#parts.files.flush();
      // Something else may have failed meanwhile: then nothing more is told.
      if (this.#state !== 'ended') this.#tell([{ type: 'flushed' }]);
    } catch (error) {
      if (this.#state !== 'ended') this.#fail(error);
    }
  }

  #guarded<T>(work: () => T): T | undefined {
    if (this.#state === 'ended') return undefined;
    try {
      const result = work();
      this.#report();
      return result;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Writes the journal before telling anyone; the bytes that it lists were written before. */
  #report(): void {
    this.#parts.journal.flush();
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    this.#tell(events);
  }

  #fail(error: unknown): void {
    this.#state = 'ended';
    this.#tell([...this.#events, { type: 'failed', error: ModelRtcError.from(error).toData() }]);
    this.#events = [];
  }
}
