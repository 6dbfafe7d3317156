/** Time as peers and sessions see it; tests pass in their own. */
export interface Timers {
  /** Calls back once after the time. @returns what calls it off. */
  after(delayMs: number, callback: () => void): () => void;
  /** A clock that never goes back. */
  nowMs(): number;
}

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  nowMs: () => performance.now(),
};
