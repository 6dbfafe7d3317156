import { systemTimers, type Timers } from '../../src/client/timers.ts';

/** Time that runs faster, so that a test need not wait for the client's intervals. */
export function fastTimers(factor: number): Timers {
  return {
    after: (delayMs, callback) => systemTimers.after(delayMs / factor, callback),
    nowMs: () => systemTimers.nowMs() * factor,
  };
}
