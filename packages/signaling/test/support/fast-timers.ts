import { type Clock, systemClock } from '@model-rtc/protocol';

/** Time that runs faster, so that a test need not wait for the client's intervals. */
export function fastTimers(factor: number): Clock {
  return {
    after: (delayMs, callback) => systemClock.after(delayMs / factor, callback),
    every: (intervalMs, callback) => systemClock.every(intervalMs / factor, callback),
    nowMs: () => systemClock.nowMs() * factor,
  };
}
