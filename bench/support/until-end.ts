import type { RunningCommand } from '../../test/support/command.ts';

/** The kernel's own counts only have to be read before the process is gone. */
const READ_INTERVAL_MS = 50;

/** The last reading of a count that never falls, so that it is that of all but the last moments. */
export async function lastUntilEnd(
  running: RunningCommand,
  read: (pid: number) => Promise<number>,
  intervalMs = READ_INTERVAL_MS,
): Promise<number> {
  let last = 0;
  let ended = false;
  const end = running.exited.finally(() => {
    ended = true;
  });
  while (!ended) {
    // A process that has just ended has no status any more.
    last = Math.max(last, await read(running.pid).catch(() => 0));
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
  await end;
  return last;
}
