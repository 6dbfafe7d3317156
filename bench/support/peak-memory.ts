import type { RunningCommand } from '../../test/support/command.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';

/** The kernel keeps the peak itself; it only has to be read before the process is gone. */
const READ_INTERVAL_MS = 50;

/** The last peak that could be read; a peak never falls, so this is that of all but the last moments. */
export async function peakUntilEnd(running: RunningCommand): Promise<number> {
  let peak = 0;
  let ended = false;
  const end = running.exited.finally(() => {
    ended = true;
  });
  while (!ended) {
    // A process that has just ended has no status any more.
    peak = Math.max(peak, await peakMemoryBytes(running.pid).catch(() => 0));
    await new Promise((resolve) => setTimeout(resolve, READ_INTERVAL_MS));
  }
  await end;
  return peak;
}
