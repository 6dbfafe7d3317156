import { FIRST_COPY_MS, MAX_FIRST_COPIES, SPREAD_MS } from '../limits.ts';

interface FirstCopy {
  readonly receiver: object;
  /** When others may have the chunk from here too. */
  untilMs: number;
}

/**
 * Spreads a model among many that fetch it from one slow sender: while one of them gets a chunk, and for a moment after, the
 * others are told that it is not here, so that they ask for another one and soon have this one from the first. Each chunk is
 * held back once and for a short time, so that a receiver that passes nothing on costs the others little. Pure: the time is
 * handed in.
 */
export class FirstCopies {
  /** By chunk, the oldest first. */
  readonly #copies = new Map<string, FirstCopy>();

  /** Whether the chunk is left to another receiver now. Otherwise it is this one's to get. */
  leftToAnother(chunk: string, receiver: object, nowMs: number): boolean {
    const copy = this.#copies.get(chunk);
    if (copy !== undefined) return copy.receiver !== receiver && nowMs < copy.untilMs;
    if (this.#copies.size >= MAX_FIRST_COPIES) this.#forget(nowMs);
    if (this.#copies.size < MAX_FIRST_COPIES) this.#copies.set(chunk, { receiver, untilMs: nowMs + FIRST_COPY_MS });
    return false;
  }

  /** The receiver has all of the chunk. */
  sent(chunk: string, receiver: object, nowMs: number): void {
    const copy = this.#copies.get(chunk);
    if (copy?.receiver === receiver) copy.untilMs = Math.min(copy.untilMs, nowMs + SPREAD_MS);
  }

  /** The receiver did not get the chunk: the next one that asks is the first. */
  failed(chunk: string, receiver: object): void {
    if (this.#copies.get(chunk)?.receiver === receiver) this.#copies.delete(chunk);
  }

  #forget(nowMs: number): void {
    for (const [chunk, { untilMs }] of this.#copies) if (untilMs <= nowMs) this.#copies.delete(chunk);
  }
}
