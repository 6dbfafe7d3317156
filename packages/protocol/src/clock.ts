/** Time, passed in so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds that only ever grow, also while the machine's date is changed. */
  nowMs(): number;
  /** Calls back once after the time. @returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back again and again. @returns what ends that. */
  every(intervalMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs);
    return () => clearInterval(timer);
  },
};
