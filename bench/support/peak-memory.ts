import type { RunningCommand } from '../../test/support/command.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { lastUntilEnd } from './until-end.ts';

/** The most resident memory that a process has had when it ended. */
export async function peakUntilEnd(running: RunningCommand): Promise<number> {
  return await lastUntilEnd(running, peakMemoryBytes);
}
