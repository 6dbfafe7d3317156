import { bufferSize } from '../schedule/buffer-size.ts';
import type { ChunkMemory } from './disk-port.ts';

/** A buffer that a chunk is assembled in. */
export interface ChunkBuffer {
  readonly id: number;
  readonly memory: ChunkMemory;
}

/**
 * Reuses chunk buffers: a fresh one for every chunk halves the throughput. The schedule's windows bound how many are lent at
 * once.
 */
export class BufferPool {
  readonly #free = new Map<number, ChunkBuffer[]>();
  readonly #allocate: (bytes: number) => ChunkMemory;
  readonly #maxIdleBytes: number;
  readonly #onDrop: (id: number) => void;
  #idleBytes = 0;
  #made = 0;

  /** @param onDrop - called with the id of each buffer that will not be used again */
  constructor(
    allocate: (bytes: number) => ChunkMemory,
    { maxIdleBytes, onDrop }: { readonly maxIdleBytes: number; readonly onDrop: (id: number) => void },
  ) {
    this.#allocate = allocate;
    this.#maxIdleBytes = maxIdleBytes;
    this.#onDrop = onDrop;
  }

  /** Lends a buffer of at least this many bytes, with whatever it held before. */
  lend(size: number): ChunkBuffer {
    const rounded = bufferSize(size);
    const free = this.#free.get(rounded)?.pop();
    if (free === undefined) return { id: this.#made++, memory: this.#allocate(rounded) };
    this.#idleBytes -= rounded;
    return free;
  }

  giveBack(buffer: ChunkBuffer): void {
    const size = buffer.memory.bytes.length;
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
