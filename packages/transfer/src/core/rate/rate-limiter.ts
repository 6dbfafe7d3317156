/** Limits how fast bytes are asked for or sent. Any number of takers may share one; they get equal amounts. */
export interface RateLimiter {
  /**
   * Resolves when this many bytes may go. They go at once, so take large amounts in pieces.
   * @throws the signal's reason; then nothing was taken.
   */
  take(bytes: number, signal?: AbortSignal): Promise<void>;
  /** Bytes that may go now without waiting: 0 while others wait, or while earlier takes are still being paid for; infinity while there is no limit. */
  room(): number;
  /** The same limit for one of several takers, so that they get equal parts however much each takes at once. */
  share?(): RateLimiter;
}

/**
 * The stricter of two limiters: what is taken from it is taken from both. The second is asked only when the first allows
 * it, so pass the one with fewer takers first: a transfer that waits for its own limit then uses up none of the agent's.
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
