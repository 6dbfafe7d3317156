import { stat } from 'node:fs/promises';
import { RUNNING_LOCK_MS } from '../../core/limits.ts';

/**
 * Whether a process is at the transfer of this lock. The lock is looked at and not taken: whoever begins the transfer must
 * not find it held for a question.
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
