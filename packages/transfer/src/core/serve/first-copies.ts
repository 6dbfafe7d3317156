import { FIRST_COPY_MS, LONGEST_SPREAD_MS, MAX_COPIED_CHUNKS, SPREAD_MS } from '../limits.ts';

interface Copy {
  readonly receiver: object;
  readonly sinceMs: number;
  /** When others may have the chunk from here too. */
  untilMs: number;
}

/**
 * Spreads a model among many that fetch it from one slow sender: while one of them gets a chunk, and for a while after, the
 * others are told that it is not here, so that they ask for another one and soon have this one from the first. Where it was
 * slow to send, waiting for it to spread is cheap: as long as it took to send, the others wait for it. A receiver that passes
 * nothing on costs the others no more than that. Pure: the time is handed in.
 */
export class FirstCopies {
  /** By chunk, the oldest first. */
  readonly #copies = new Map<string, Copy>();

  /** Whether another receiver gets the chunk, or just got it. */
  isLeftToAnother(chunk: string, receiver: object, nowMs: number): boolean {
    const copy = this.#copies.get(chunk);
    return copy !== undefined && copy.receiver !== receiver && nowMs < copy.untilMs;
  }

  /** The receiver is about to be sent the chunk. @returns false when it is left to another one */
  begin(chunk: string, receiver: object, nowMs: number): boolean {
    if (this.isLeftToAnother(chunk, receiver, nowMs)) return false;
    this.#copies.delete(chunk);
    if (this.#copies.size >= MAX_COPIED_CHUNKS) this.#forget(nowMs);
    if (this.#copies.size < MAX_COPIED_CHUNKS)
      this.#copies.set(chunk, { receiver, sinceMs: nowMs, untilMs: nowMs + FIRST_COPY_MS });
    return true;
  }

  /** A part of the chunk went to the receiver: it is not stuck. */
  progressed(chunk: string, receiver: object, nowMs: number): void {
    const copy = this.#copies.get(chunk);
    if (copy?.receiver === receiver) copy.untilMs = nowMs + FIRST_COPY_MS;
  }

  /** The receiver has all of the chunk. */
  sent(chunk: string, receiver: object, nowMs: number): void {
    const copy = this.#copies.get(chunk);
    if (copy?.receiver !== receiver) return;
    const spreadMs = Math.max(SPREAD_MS, Math.min(nowMs - copy.sinceMs, LONGEST_SPREAD_MS));
    copy.untilMs = nowMs + spreadMs;
  }

  /** The receiver did not get the chunk: the next one that asks is the first. */
  failed(chunk: string, receiver: object): void {
    if (this.#copies.get(chunk)?.receiver === receiver) this.#copies.delete(chunk);
  }

  #forget(nowMs: number): void {
    for (const [chunk, { untilMs }] of this.#copies) if (untilMs <= nowMs) this.#copies.delete(chunk);
  }
}
