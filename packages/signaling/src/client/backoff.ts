import { BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS } from '../limits.ts';

/**
 * How long to wait before the next attempt: doubled each time, and between half and all of it by chance, so that the
 * workers of a server that restarted do not all come back in the same moment.
 */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  /** @param random gives a number from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  nextMs(): number {
    const fullMs = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts);
    if (fullMs < BACKOFF_LONGEST_MS) this.#attempts++;
    return fullMs / 2 + this.#random() * (fullMs / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
