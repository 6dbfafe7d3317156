/** How fast something may go. A pace may be shared by any number of takers, each of which gets as much as the others. */
export interface RateLimiter {
  /**
   * Resolves when so many bytes may be asked for or sent. What one takes at once goes at once, so large amounts are
   * taken in pieces.
   * @throws the signal's reason; nothing was taken then.
   */
  take(bytes: number, signal?: AbortSignal): Promise<void>;
  /** Bytes that may go now without waiting; 0 while others wait, or until what was taken has paid off. */
  room(): number;
  /** The same pace for one of several who should get equal parts, however much each takes at once. */
  share?(): RateLimiter;
}

/**
 * The stricter of two paces: what is taken of it is taken of both. Nothing is taken of the second before the first allows
 * it, so give the one that fewer takers share first: what waits for the transfer's own limit then uses up nothing of the
 * agent's.
 */
export function combine(first: RateLimiter, second: RateLimiter): RateLimiter {
  return {
    async take(bytes, signal) {
      await first.take(bytes, signal);
      await second.take(bytes, signal);
    },
    room: () => Math.min(first.room(), second.room()),
  };
}
