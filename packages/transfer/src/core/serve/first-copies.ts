import {
  FIRST_COPY_MS,
  FIRSTS_FIRST_MS,
  LONGEST_SPREAD_MS,
  MAX_COPIED_CHUNKS,
  MIN_TELLING_BYTES,
  QUICK_COPY_MS,
  SPREAD_MS,
} from '../limits.ts';

interface Copy {
  readonly receiver: object;
  readonly sinceMs: number;
  /** Whether nobody had it from here before. */
  readonly isFirst: boolean;
  sentAtMs: number | undefined;
  /** When others may have the chunk from here too. */
  untilMs: number;
}

/**
 * Spreads a model among many that fetch it from one slow sender: while one of them gets a chunk, and for a while after, the
 * others are told that it is not here, so that they ask for another one and soon have this one from the first. Where it was
 * slow to send, waiting for it to spread is cheap: as long as it took to send, the others wait for it; and while chunks go out
 * that nobody has yet, none goes a second time. What was sent in no time goes to all. A receiver that passes nothing on costs
 * the others no more than that. Pure: the time is handed in.
 */
export class FirstCopies {
  /** By chunk, the oldest first. */
  readonly #copies = new Map<string, Copy>();
  /** Those that nobody had before and that are being sent. */
  readonly #firsts = new Set<Copy>();
  /** Whether the last large one that was sent took next to no time. */
  #isQuick = false;

  /** Whether another receiver gets the chunk, or got it lately. */
  isLeftToAnother(chunk: string, receiver: object, nowMs: number): boolean {
    const copy = this.#copies.get(chunk);
    if (copy === undefined || copy.receiver === receiver) return false;
    const { sinceMs, untilMs, sentAtMs = Number.NEGATIVE_INFINITY } = copy;
    if (nowMs < untilMs) return !this.#isQuick || nowMs - sinceMs >= QUICK_COPY_MS;
    return (
      !this.#isQuick && nowMs - sentAtMs < FIRSTS_FIRST_MS && [...this.#firsts].some((first) => nowMs < first.untilMs)
    );
  }

  /** The receiver is about to be sent the chunk. @returns false when it is left to another one */
  begin(chunk: string, receiver: object, nowMs: number): boolean {
    if (this.isLeftToAnother(chunk, receiver, nowMs)) return false;
    const before = this.#copies.get(chunk);
    const isFirst = before === undefined || (before.isFirst && before.sentAtMs === undefined);
    this.#end(chunk);
    if (this.#copies.size >= MAX_COPIED_CHUNKS) this.#forget(nowMs);
    if (this.#copies.size < MAX_COPIED_CHUNKS) {
      const copy = { receiver, sinceMs: nowMs, isFirst, sentAtMs: undefined, untilMs: nowMs + FIRST_COPY_MS };
      this.#copies.set(chunk, copy);
      if (isFirst) this.#firsts.add(copy);
    }
    return true;
  }

  /** A part of the chunk went to the receiver: it is not stuck. */
  progressed(chunk: string, receiver: object, nowMs: number): void {
    const copy = this.#copies.get(chunk);
    if (copy?.receiver === receiver) copy.untilMs = nowMs + FIRST_COPY_MS;
  }

  /** The receiver has all of the chunk. @param bytes - its length as it was sent */
  sent(chunk: string, receiver: object, nowMs: number, bytes: number): void {
    const copy = this.#copies.get(chunk);
    if (copy?.receiver !== receiver) return;
    this.#firsts.delete(copy);
    copy.sentAtMs = nowMs;
    const tookMs = nowMs - copy.sinceMs;
    const isQuick = tookMs < QUICK_COPY_MS;
    // A small one is quick over the slowest link.
    if (bytes >= MIN_TELLING_BYTES) this.#isQuick = isQuick;
    const spreadMs = isQuick ? 0 : Math.max(SPREAD_MS, Math.min(tookMs, LONGEST_SPREAD_MS));
    copy.untilMs = nowMs + spreadMs;
  }

  /** The receiver did not get the chunk: the next one that asks is the first. */
  failed(chunk: string, receiver: object): void {
    if (this.#copies.get(chunk)?.receiver === receiver) this.#end(chunk);
  }

  #end(chunk: string): void {
    const copy = this.#copies.get(chunk);
    if (copy === undefined) return;
    this.#copies.delete(chunk);
    this.#firsts.delete(copy);
  }

  #forget(nowMs: number): void {
    for (const [chunk, { untilMs }] of this.#copies) if (untilMs <= nowMs) this.#end(chunk);
  }
}
