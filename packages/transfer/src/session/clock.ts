/** Time as a transfer sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only ever grow. */
  nowMs(): number;
  /** Does the work again and again; the function that it returns ends that. */
  every(intervalMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  every(intervalMs, work) {
    const timer = setInterval(work, intervalMs);
    return () => clearInterval(timer);
  },
};
