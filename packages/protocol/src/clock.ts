/** Time, passed in so that tests do not have to wait for it. */
export interface Clock {
  /** Milliseconds that only ever grow, even when the machine's date changes. */
  nowMs(): number;
  /** Calls back once after the delay. @returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back at every interval. @returns a function that stops it. */
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
