import { type Deferred, type Digest, deferred, ModelRtcError } from '@model-rtc/protocol';
import { ALL_WINDOWS_BYTES } from '../limits.ts';
import { BufferPool, type ChunkBuffer } from './buffer-pool.ts';
import type { DiskCommand, DiskEvent, DiskPort } from './disk-port.ts';

/** How the transfer hears from the disk. */
export interface DiskListener {
  verified(chunk: number): void;
  wrong(chunk: number): void;
  checked(chunk: number, present: boolean): void;
  lost(chunks: readonly number[]): void;
  /** A file or span is wrong (see `deciderOf`); its ranges were lost. */
  wrongWhole(whole: number, ranges: readonly number[]): void;
  fileHash(file: number, sha256: Digest): void;
  hashed(bytes: number): void;
  whole(): void;
  failed(error: ModelRtcError): void;
}

/** The transfer's side of the disk: lends buffers, sends commands in batches, passes events on. */
export class Disk {
  readonly #port: DiskPort;
  readonly #pool: BufferPool;
  readonly #listener: DiskListener;
  /** Buffers whose memory the disk knows. */
  readonly #known = new Set<number>();
  readonly #storing = new Map<number, ChunkBuffer>();
  #commands: DiskCommand[] = [];
  #flushing: Deferred<void> | undefined;

  constructor(openPort: (onEvents: (events: readonly DiskEvent[]) => void) => DiskPort, listener: DiskListener) {
    this.#listener = listener;
    this.#port = openPort((events) => {
      for (const event of events) this.#hear(event);
    });
    this.#pool = new BufferPool((bytes) => this.#port.allocate(bytes), {
      maxIdleBytes: ALL_WINDOWS_BYTES,
      onDrop: (buffer) => {
        if (this.#known.delete(buffer)) this.#post({ type: 'forget', buffer });
      },
    });
  }

  lend(size: number): ChunkBuffer {
    return this.#pool.lend(size);
  }

  giveBack(buffer: ChunkBuffer): void {
    this.#pool.giveBack(buffer);
  }

  /** Has the chunk in the buffer checked and written. The buffer belongs to the disk from now on. */
  store(chunk: number, buffer: ChunkBuffer): void {
    const memory = this.#known.has(buffer.id) ? undefined : buffer.memory.bytes;
    this.#known.add(buffer.id);
    this.#storing.set(buffer.id, buffer);
    this.#post({ type: 'store', chunk, buffer: buffer.id, memory });
  }

  check(chunks: readonly number[]): void {
    if (chunks.length > 0) this.#post({ type: 'check', chunks });
  }

  /** Sets sizes and modes, and resolves when everything is on the disk itself. */
  async flush(): Promise<void> {
    this.#flushing = deferred<void>();
    this.#post({ type: 'flush' });
    await this.#flushing.promise;
  }

  /** Closes the disk when every chunk that was stored before is kept, and the right ones are in the journal. */
  async close(): Promise<void> {
    this.#send();
    await this.#port.close();
  }

  /** Sends the commands of one turn of the event loop in one message. */
  #post(command: DiskCommand): void {
    this.#commands.push(command);
    if (this.#commands.length > 1) return;
    queueMicrotask(() => this.#send());
  }

  #send(): void {
    const commands = this.#commands;
    if (commands.length === 0) return;
    this.#commands = [];
    this.#port.post(commands);
  }

  #hear(event: DiskEvent): void {
    if (event.type === 'verified' || event.type === 'wrong') {
      this.#free(event.buffer);
      this.#listener[event.type](event.chunk);
    } else if (event.type === 'checked') this.#listener.checked(event.chunk, event.present);
    else if (event.type === 'lost') this.#listener.lost(event.chunks);
    else if (event.type === 'wrong_file') this.#listener.wrongWhole(event.file, event.chunks);
    else if (event.type === 'wrong_span') this.#listener.wrongWhole(event.span, event.chunks);
    else if (event.type === 'file_hash') this.#listener.fileHash(event.file, event.sha256);
    else if (event.type === 'hashed') this.#listener.hashed(event.bytes);
    else if (event.type === 'whole') this.#listener.whole();
    else if (event.type === 'flushed') this.#flushing?.resolve();
    else this.#fail(ModelRtcError.fromData(event.error));
  }

  #fail(error: ModelRtcError): void {
    this.#flushing?.reject(error);
    this.#listener.failed(error);
  }

  #free(id: number): void {
    const buffer = this.#storing.get(id);
    this.#storing.delete(id);
    if (buffer !== undefined) this.#pool.giveBack(buffer);
  }
}
