import type { ChunkMemory } from '../../core/disk/disk-port.ts';

/** Memory that the disk's thread sees without a copy. */
export function sharedMemory(size: number): ChunkMemory {
  const bytes = Buffer.from(new SharedArrayBuffer(size));
  return {
    bytes,
    // `set` copies into shared memory with care for threads that look on, which takes several times as long.
    write: (offset, piece) => {
      bytes.fill(piece, offset, offset + piece.length);
    },
  };
}
