import type { HashBlock } from './types.ts';

/** Large enough that a read and four messages a block cost little, small enough that all stay in the CPU's last cache. */
const BLOCK_BYTES = 2 * 1024 * 1024;
/** Lets reading and both digests run ahead of each other. */
const BLOCK_COUNT = 8;

/** The memory for one engine's blocks. */
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

/** Hands out blocks, first come first served. */
export class BlockPool {
  readonly #free: HashBlock[];
  readonly #waiting: ((block: HashBlock) => void)[] = [];

  constructor(blocks: readonly HashBlock[]) {
    this.#free = [...blocks];
  }

  /** Resolves when a block is free. */
  take(): Promise<HashBlock> {
    const block = this.#free.pop();
    if (block !== undefined) return Promise.resolve(block);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  giveBack(block: HashBlock): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(block);
    else next(block);
  }
}
