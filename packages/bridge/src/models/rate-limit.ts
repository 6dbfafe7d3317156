/** So many events a minute, and as many at once after a quiet minute. */
export interface RateLimit {
  /** Counts one. @returns 0, or how many milliseconds until there is room; then it is not counted */
  take(): number;
}

/** @param nowMs - milliseconds that only grow */
export function createRateLimit(perMinute: number, nowMs: () => number): RateLimit {
  const msEach = 60_000 / perMinute;
  let left = perMinute;
  let atMs = nowMs();
  return {
    take() {
      const now = nowMs();
      left = Math.min(perMinute, left + (now - atMs) / msEach);
      atMs = now;
      if (left < 1) return Math.ceil((1 - left) * msEach);
      left -= 1;
      return 0;
    },
  };
}
