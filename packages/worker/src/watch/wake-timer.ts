/** A sleep that can be cut short. */
export interface WakeTimer {
  /** Resolves at the time, or earlier when `wakeBy` says so meanwhile. */
  sleepUntil(atMs: number): Promise<void>;
  /** Ends the current sleep, or else the next one, no later than this. */
  wakeBy(atMs: number): void;
}

/** Node's timers end at once when the delay is longer than this. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export function createWakeTimer(now: () => number): WakeTimer {
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  function setTimer(): void {
    clearTimeout(timer);
    if (wake === undefined) return;
    const delayMs = Math.min(Math.max(0, wakeAtMs - now()), MAX_DELAY_MS);
    // It keeps the process alive: at its end, when all connections are closed, whoever closes the watch still waits for it.
    timer = setTimeout(wakeNow, delayMs);
  }

  function wakeNow(): void {
    const sleeper = wake;
    wake = undefined;
    wakeAtMs = Number.POSITIVE_INFINITY;
    sleeper?.();
  }

  return {
    async sleepUntil(atMs) {
      wakeAtMs = Math.min(wakeAtMs, atMs);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimer();
      });
    },
    wakeBy(atMs) {
      if (atMs >= wakeAtMs) return;
      wakeAtMs = atMs;
      setTimer();
    },
  };
}
