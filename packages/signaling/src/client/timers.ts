/** Time, passed in so that tests need not wait for it. */
export interface Timers {
  /** Calls back once after the time. @returns what cancels it. */
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
