import type { HashBlock } from './types.ts';

/** Large enough that a read and four messages a block cost little, small enough that all stay in the CPU's last cache. */
const BLOCK_BYTES = 2 * 1024 * 1024;
/** Lets reading and both digests run ahead of each other. */
const BLOCK_COUNT = 8;

/** What the blocks of one engine lie in. */
export function createBlockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BLOCK_COUNT * BLOCK_BYTES);
}

/** Blocks of one shared memory, so that threads see them without a copy. */
export function createBlocks(memory: SharedArrayBuffer): HashBlock[] {
  const count = Math.floor(memory.byteLength / BLOCK_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    index,
    bytes: new Uint8Array(memory, index * BLOCK_BYTES, BLOCK_BYTES),
  }));
}
