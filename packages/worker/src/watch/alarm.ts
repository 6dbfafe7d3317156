/** A sleep that can be cut short. */
export interface Alarm {
  /** Resolves at the time, or earlier when it is set earlier meanwhile. */
  sleepUntil(atMs: number): Promise<void>;
  /** Rings no later than the time; without a sleeper, the next sleep ends then. */
  ringBy(atMs: number): void;
}

/** Longer than that, and Node's timers end at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export function createAlarm(now: () => number): Alarm {
  let ringAtMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  function setTimer(): void {
    clearTimeout(timer);
    if (wake === undefined) return;
    const delayMs = Math.min(Math.max(0, ringAtMs - now()), MAX_DELAY_MS);
    // The worker's connections keep its process alive; a watch alone has nobody to serve.
    timer = setTimeout(ring, delayMs).unref();
  }

  function ring(): void {
    const sleeper = wake;
    wake = undefined;
    ringAtMs = Number.POSITIVE_INFINITY;
    sleeper?.();
  }

  return {
    async sleepUntil(atMs) {
      ringAtMs = Math.min(ringAtMs, atMs);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimer();
      });
    },
    ringBy(atMs) {
      if (atMs >= ringAtMs) return;
      ringAtMs = atMs;
      setTimer();
    },
  };
}
