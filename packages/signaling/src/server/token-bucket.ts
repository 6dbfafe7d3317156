/**
 * A rate limit: `ratePerSecond` in the long run, `capacity` at once. Taking more than is there leaves a debt, so that a
 * caller can slow a sender down by the time that `take` returns.
 */
export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #capacity: number;
  #level: number;
  #atMs: number;

  constructor(ratePerSecond: number, capacity: number, nowMs: number) {
    this.#ratePerSecond = ratePerSecond;
    this.#capacity = capacity;
    this.#level = capacity;
    this.#atMs = nowMs;
  }

  /** Takes an amount. @returns how many milliseconds to wait until the debt, if any, is paid. */
  take(amount: number, nowMs: number): number {
    const refilled = this.#level + (Math.max(0, nowMs - this.#atMs) / 1000) * this.#ratePerSecond;
    this.#level = Math.min(this.#capacity, refilled) - amount;
    this.#atMs = nowMs;
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#ratePerSecond) * 1000);
  }
}
