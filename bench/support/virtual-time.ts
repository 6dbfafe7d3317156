import type { Clock } from '@model-rtc/protocol';

/** Everything happens at a multiple of this. */
const TICK_MS = 10;

/** Time that passes only as fast as there is something to do in it. What is due in one tick is in one list, so adding to it costs nothing. */
export class VirtualTime {
  readonly #random: () => number;
  readonly #due: (() => void)[][];
  #tick = 0;

  /** @param random spreads the beginnings of intervals */
  constructor(lengthMs: number, random: () => number) {
    this.#random = random;
    this.#due = Array.from({ length: Math.ceil(lengthMs / TICK_MS) }, () => []);
  }

  get nowMs(): number {
    return this.#tick * TICK_MS;
  }

  get clock(): Clock {
    return {
      nowMs: () => this.nowMs,
      after: (delayMs, callback) => this.#cancellable(delayMs, callback),
      every: (intervalMs, callback) => {
        const again = (): void => {
          callback();
          this.after(intervalMs, again);
        };
        // Nodes did not all begin at one moment.
        this.after(this.#random() * intervalMs, again);
        return () => {};
      },
    };
  }

  /** What is due after the end is left out. */
  after(delayMs: number, job: () => void): void {
    this.#due[this.#tick + Math.max(1, Math.ceil(delayMs / TICK_MS))]?.push(job);
  }

  /** Lets all of it pass, with what follows from each job before the next tick. */
  async pass(): Promise<void> {
    for (; this.#tick < this.#due.length; this.#tick++) {
      const jobs = this.#due[this.#tick] as (() => void)[];
      for (const job of jobs) job();
      if (jobs.length > 0) await new Promise((resolve) => setImmediate(resolve));
      this.#due[this.#tick] = [];
    }
  }

  #cancellable(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    this.after(delayMs, () => {
      if (!isCancelled) callback();
    });
    return () => {
      isCancelled = true;
    };
  }
}

/** Random numbers that are the same every time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
