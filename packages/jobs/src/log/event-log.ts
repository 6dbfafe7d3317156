import { appendFile, open, stat, truncate } from 'node:fs/promises';
import { ignoreMissing, storageError } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { LOG_TAIL_CHARS, LOG_TAIL_LINES, MAX_UNWRITTEN_LOG_BYTES } from '../limits.ts';
import type { NewEvent } from './types.ts';

export interface EventLogOptions {
  /** Absolute. */
  readonly path: string;
  /** How long the file may get, but for states and the last lines. */
  readonly maxBytes: number;
  readonly now: () => Date;
  readonly log: Log;
}

/** Between two attempts to write to a disk that refused. */
const RETRY_MS = 1_000;

/**
 * The events of one job: a file with a line for each, whose number is the line's. It is written in batches, and read by whoever
 * follows the job, so that neither a fast program nor a slow reader takes memory.
 */
export class EventLog {
  readonly #options: EventLogOptions;
  #pending: string[] = [];
  #pendingBytes = 0;
  #writtenBytes: number;
  #lastNumber: number;
  #writing: Promise<void> | undefined;
  #refusedAtMs: number | undefined;
  #waiters: (() => void)[] = [];
  #readers: (() => void)[] = [];
  readonly #tail: NewEvent[] = [];
  #tailChars = 0;
  #leftOut = 0;
  #isFull = false;
  #isEnded = false;

  private constructor(options: EventLogOptions, end: LogEnd) {
    this.#options = options;
    this.#writtenBytes = end.bytes;
    this.#lastNumber = end.lines;
  }

  /** Opens a log that may be there; a line that a killed worker left half-written goes. @throws ModelRtcError `storage` */
  static async open(options: EventLogOptions): Promise<EventLog> {
    try {
      return new EventLog(options, await repairEnd(options.path));
    } catch (thrown) {
      throw storageError(thrown, options.path, 'read');
    }
  }

  /** The number of the last event. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Bytes that readers find in the file. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Whether no event comes any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  add(event: NewEvent): void {
    if (event.type !== 'state' && this.#isRefused(event)) return;
    this.#write(event);
  }

  /** Resolves when there is room for more lines. */
  async room(): Promise<void> {
    while (this.#pendingBytes > MAX_UNWRITTEN_LOG_BYTES && this.#refusedAtMs === undefined) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Resolves when all events are in the file, or the disk refused them. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0 || this.#writing !== undefined) {
      await (this.#writing ?? this.#startWriting());
      if (this.#refusedAtMs !== undefined) return;
    }
  }

  /** Writes the last lines of those that were left out. Call it before the job's last state. */
  addTail(): void {
    if (this.#leftOut === 0) return;
    const left = this.#leftOut - this.#tail.length;
    const text = `The log is full: ${left} lines are left out here. The last ones follow.`;
    if (left > 0) this.#write({ type: 'log', stream: 'worker', text });
    for (const event of this.#tail) this.#write(event);
    this.#tail.length = 0;
    this.#leftOut = 0;
  }

  /** No event comes after this. */
  async end(): Promise<void> {
    await this.flush();
    this.#isEnded = true;
    this.#tellReaders();
  }

  /** Resolves when the file has more than this, or no event comes any more. */
  async changed(readBytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isEnded || this.#writtenBytes > readBytes || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#readers.push(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  /** Whether there is no room for an event: its line then waits among the last ones. */
  #isRefused(event: NewEvent): boolean {
    const { maxBytes } = this.#options;
    if (!this.#isFull && this.#writtenBytes + this.#pendingBytes > maxBytes) {
      this.#isFull = true;
      const text = `The log is full (${maxBytes} bytes). The program goes on; of what it prints from now on, the last ${LOG_TAIL_LINES} lines are kept.`;
      this.#write({ type: 'log', stream: 'worker', text });
    }
    // A disk that takes nothing must not stop the program, nor fill the memory.
    const isStuck = this.#refusedAtMs !== undefined && this.#pendingBytes > MAX_UNWRITTEN_LOG_BYTES;
    if (!this.#isFull && !isStuck) return false;
    if (event.type === 'log') this.#keepInTail(event);
    return true;
  }

  #keepInTail(event: NewEvent & { readonly type: 'log' }): void {
    this.#leftOut++;
    this.#tail.push(event);
    this.#tailChars += event.text.length;
    while (this.#tail.length > LOG_TAIL_LINES || (this.#tailChars > LOG_TAIL_CHARS && this.#tail.length > 1)) {
      const gone = this.#tail.shift();
      if (gone?.type === 'log') this.#tailChars -= gone.text.length;
    }
  }

  #write(event: NewEvent): void {
    this.#lastNumber++;
    const at = this.#options.now().toISOString();
    const line = `${JSON.stringify({ number: this.#lastNumber, at, ...event })}\n`;
    this.#pending.push(line);
    this.#pendingBytes += Buffer.byteLength(line);
    if (this.#writing === undefined && !this.#isInPause()) void this.#startWriting();
  }

  #isInPause(): boolean {
    return this.#refusedAtMs !== undefined && performance.now() - this.#refusedAtMs < RETRY_MS;
  }

  #startWriting(): Promise<void> {
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    // All that is added in the same turn goes into one write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const bytes = Buffer.from(this.#pending.join(''));
      const count = this.#pending.length;
      const isWritten = await this.#append(bytes);
      if (isWritten) {
        this.#pending.splice(0, count);
        this.#pendingBytes -= bytes.length;
        this.#writtenBytes += bytes.length;
      }
      for (const resolve of this.#waiters.splice(0)) resolve();
      if (!isWritten) return;
      this.#tellReaders();
    }
  }

  async #append(bytes: Buffer): Promise<boolean> {
    const { path, log } = this.#options;
    try {
      await appendFile(path, bytes, { mode: 0o600 });
      this.#refusedAtMs = undefined;
      return true;
    } catch (error) {
      if (this.#refusedAtMs === undefined) log.warn({ path, error }, 'the log of a job cannot be written');
      this.#refusedAtMs = performance.now();
      // A part of it may be there.
      await truncate(path, this.#writtenBytes).catch(() => undefined);
      return false;
    }
  }

  #tellReaders(): void {
    for (const tell of this.#readers.splice(0)) tell();
  }
}

interface LogEnd {
  readonly bytes: number;
  readonly lines: number;
}

const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

async function repairEnd(path: string): Promise<LogEnd> {
  const found = await ignoreMissing(stat(path));
  if (found === undefined) return { bytes: 0, lines: 0 };
  const end = await countLines(path);
  if (end.bytes < found.size) await truncate(path, end.bytes);
  return end;
}

/** The whole lines of a file, and the bytes up to the end of the last. */
async function countLines(path: string): Promise<LogEnd> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let [offset, bytes, lines] = [0, 0, 0];
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, offset);
      if (bytesRead === 0) return { bytes, lines };
      const part = buffer.subarray(0, bytesRead);
      for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) {
        lines++;
        bytes = offset + at + 1;
      }
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}
