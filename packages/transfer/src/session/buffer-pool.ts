import { bufferSize } from '../schedule/buffer-size.ts';
import type { ChunkBuffer } from './assembly.ts';

/**
 * Chunk buffers that are used again: fresh ones for every chunk halve the throughput. Shared memory, so that the disk's
 * thread sees the bytes without a copy. How many are out at once is bounded by the schedule's windows.
 */
export class BufferPool {
  readonly #free = new Map<number, ChunkBuffer[]>();
  readonly #maxIdleBytes: number;
  readonly #onDrop: (id: number) => void;
  #idleBytes = 0;
  #made = 0;

  /** @param onDrop - told the id of each buffer that will not be used again. */
  constructor(maxIdleBytes: number, onDrop: (id: number) => void) {
    this.#maxIdleBytes = maxIdleBytes;
    this.#onDrop = onDrop;
  }

  /** A buffer of at least this many bytes. Its content is whatever it held before. */
  lend(size: number): ChunkBuffer {
    const rounded = bufferSize(size);
    const free = this.#free.get(rounded)?.pop();
    if (free === undefined) return { id: this.#made++, bytes: Buffer.from(new SharedArrayBuffer(rounded)) };
    this.#idleBytes -= rounded;
    return free;
  }

  giveBack(buffer: ChunkBuffer): void {
    const size = buffer.bytes.length;
    if (this.#idleBytes + size > this.#maxIdleBytes) {
      this.#onDrop(buffer.id);
      return;
    }
    this.#idleBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}
