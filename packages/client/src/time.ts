import { setTimeout as delay } from 'node:timers/promises';
import { cancelledBy } from './cancelled.ts';

/** Time as a client sees it; tests bring their own. */
export interface Time {
  /** Milliseconds since the start of the process; they never go back. */
  nowMs(): number;
  /** @throws ModelRtcError `cancelled` when the signal aborts. */
  wait(ms: number, signal?: AbortSignal | undefined): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

export const systemTime: Time = {
  nowMs: () => performance.now(),
  async wait(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      throw cancelledBy(signal, error);
    }
  },
  random: Math.random,
};

/** Waits for the time given plus up to half of it, so that many clients do not come back at once. */
export async function backOff(time: Time, ms: number, signal?: AbortSignal | undefined): Promise<void> {
  await time.wait(ms + (ms / 2) * time.random(), signal);
}
