import type { HashBlock } from './types.ts';

/** Shares blocks out, first come first served. */
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
