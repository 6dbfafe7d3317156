/** One model is read at a time, whichever folder it is in: two would only wait for the same disk. */
export interface TakeQueue {
  /** The signal aborts when the queue is closed. The work must not fail. */
  add(work: (signal: AbortSignal) => Promise<void>): void;
  /** Ends what is under way, and starts nothing more. */
  close(): Promise<void>;
}

export function createTakeQueue(): TakeQueue {
  const closing = new AbortController();
  let last: Promise<void> = Promise.resolve();
  return {
    add(work) {
      last = last.then(async () => {
        if (!closing.signal.aborted) await work(closing.signal);
      });
    },
    async close() {
      closing.abort();
      await last;
    },
  };
}
