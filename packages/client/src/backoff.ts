import { setTimeout as sleep } from 'node:timers/promises';
import { ModelRtcError } from '@model-rtc/protocol';

/** Waits for the time given plus up to half of it, so that many clients do not come back at once. */
export async function backoff(ms: number, signal?: AbortSignal | undefined, random = Math.random): Promise<void> {
  try {
    await sleep(ms + (ms / 2) * random(), undefined, { signal });
  } catch (error) {
    throw ModelRtcError.because(error, 'cancelled', 'Cancelled.');
  }
}
