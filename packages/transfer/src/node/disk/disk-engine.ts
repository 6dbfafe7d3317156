import { ModelRtcError } from '@model-rtc/protocol';
import type { DiskCommand, DiskEvent } from '../../core/disk/disk-port.ts';
import { placesOf, sizeOf } from '../../core/layout/layout.ts';
import { JournalWriter } from '../journal/journal.ts';
import type { FolderJob } from './folder-job.ts';
import { ModelFiles } from './model-files.ts';
import { type ChunkFlags, matches, WholeFileHasher } from './whole-file-hasher.ts';

/** Events are told after this many bytes of work, so that buffers come back while a long batch is done. */
const TELL_AFTER_BYTES = 1024 * 1024;

/**
 * Everything that is done with bytes off the main thread: checks chunks, writes them, keeps the journal, hashes whole
 * files. Commands come first; hashing what must be read back is done in between, one chunk at a time.
 */
export class DiskEngine {
  readonly #job: FolderJob;
  readonly #tell: (events: readonly DiskEvent[]) => void;
  readonly #files: ModelFiles;
  readonly #journal: JournalWriter;
  readonly #flags: ChunkFlags;
  readonly #hasher: WholeFileHasher;
  readonly #buffers = new Map<number, Uint8Array>();
  #checks: number[] = [];
  #events: DiskEvent[] = [];
  #pending: NodeJS.Immediate | undefined;
  #state: 'working' | 'whole' | 'ended' = 'working';

  constructor(job: FolderJob, tell: (events: readonly DiskEvent[]) => void) {
    this.#job = job;
    this.#tell = tell;
    this.#files = new ModelFiles(job.filesFolder, job.layout);
    this.#journal = new JournalWriter(job.journalPath, job.layout);
    this.#flags = { present: job.journalled.slice(), proven: new Uint8Array(job.journalled.length) };
    this.#hasher = new WholeFileHasher(job.layout, this.#files, this.#flags);
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
    clearImmediate(this.#pending);
    this.#files.close();
    this.#journal.close();
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
    if (!matches(layout, chunk, bytes)) {
      this.#events.push({ type: 'wrong', chunk, buffer });
      return size;
    }
    for (const place of placesOf(layout, chunk)) this.#files.write(place, bytes);
    this.#settle(chunk);
    const hashed = this.#hasher.offer(chunk, bytes);
    this.#events.push({ type: 'verified', chunk, buffer });
    if (hashed > 0) this.#events.push({ type: 'hashed', bytes: hashed });
    return size;
  }

  #settle(chunk: number): void {
    this.#flags.present[chunk] = 1;
    this.#flags.proven[chunk] = 1;
    this.#journal.add(chunk);
    // A file was wrong and its chunk is here again: the hashing goes on.
    if (this.#state === 'whole') this.#state = 'working';
  }

  #workLater(): void {
    if (this.#state !== 'working' || this.#pending !== undefined) return;
    this.#pending = setImmediate(() => {
      this.#pending = undefined;
      const goOn = this.#guarded(() => this.#work());
      if (goOn === true) this.#workLater();
    });
  }

  /** One piece of work that no command waits for; false when there is none now. */
  #work(): boolean {
    const chunk = this.#checks.pop();
    if (chunk !== undefined) {
      const present = this.#hasher.isRight(chunk, placesOf(this.#job.layout, chunk));
      if (present) this.#settle(chunk);
      this.#events.push({ type: 'checked', chunk, present });
      return true;
    }
    const step = this.#hasher.step();
    if (step.kind === 'waiting') return false;
    if (step.kind === 'lost') this.#events.push({ type: 'lost', chunks: step.chunks });
    else if (step.kind === 'hashed') this.#events.push({ type: 'hashed', bytes: step.bytes });
    else {
      this.#state = 'whole';
      this.#events.push({ type: 'whole' });
      return false;
    }
    return true;
  }

  async #flush(): Promise<void> {
    try {
      await this.#files.flush();
      this.#tell([{ type: 'flushed' }]);
    } catch (error) {
      this.#fail(error);
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

  /** The journal is written before anyone is told, and after the bytes that it speaks of. */
  #report(): void {
    this.#journal.flush();
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
