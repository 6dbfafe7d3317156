import { stat } from 'node:fs/promises';
import { RUNNING_LOCK_MS } from '../../core/limits.ts';

/**
 * Whether a process is running the transfer with this lock. It looks at the lock without taking it, so that whoever starts the
 * transfer does not find it taken.
 *
 * @param now - the time of day in milliseconds
 */
export async function isRunning(lock: string, now: () => number): Promise<boolean> {
  try {
    return now() - (await stat(lock)).mtimeMs < RUNNING_LOCK_MS;
  } catch {
    return false;
  }
}
