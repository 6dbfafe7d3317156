import { type ErrorData, type Job, ModelRtcError, withoutUndefined } from '@model-rtc/protocol';
import type { ProgramExit } from '../process/launch.ts';
import { removeTree } from '../store/remove-tree.ts';
import type { StateChange, StoredJob } from '../store/stored-job.ts';
import { removeWork } from './prepare-job.ts';
import type { RunContext, Stop } from './types.ts';

/** How a job ends: its state, and what comes with it. */
export interface JobEnd {
  readonly state: 'completed' | 'failed' | 'cancelled' | 'lost';
  readonly change: StateChange;
}

/** Names that a log line shows of what is left out. */
const SHOWN_LEFT_OUT = 20;

/**
 * What a program that ended by itself leaves: its results, whatever its exit code was, since hours of work may be in them.
 * @throws ModelRtcError `storage`, `cancelled` by the signal
 */
export async function finishJob(
  job: StoredJob,
  exit: ProgramExit,
  context: RunContext,
  signal: AbortSignal,
): Promise<JobEnd> {
  const results = await keepResults(job, context, signal);
  const change = withoutUndefined({ exit: withoutUndefined(exit), results });
  if (exit.code === 0) return { state: 'completed', change };
  return { state: 'failed', change: { ...change, error: exitError(exit, job.record.job.runner) } };
}

/** The end of a job that was stopped, or that could not be run: nothing that it wrote is kept. */
export function stoppedEnd({ state, error }: Stop, exit: ProgramExit | undefined): JobEnd {
  return { state, change: { error, ...withoutUndefined({ exit: exit && withoutUndefined(exit) }) } };
}

/** Removes what an ended job needs no more. A disk that refuses is the owner's to look at. */
export async function removeLeftovers(job: StoredJob, context: RunContext, hasResults: boolean): Promise<void> {
  try {
    await removeWork(job.paths);
    if (!hasResults) await removeTree(job.paths.output);
  } catch (error) {
    context.log.warn({ job: job.id, error }, 'the folder of a job cannot be cleared');
  }
}

async function keepResults(
  { paths, events }: StoredJob,
  { results, limits, now }: RunContext,
  signal: AbortSignal,
): Promise<Job['results']> {
  // A worker that was killed can have left a part.
  await removeTree(paths.results);
  const kept = await results.keep(paths.output, paths.results, { signal });
  if (kept === undefined) return undefined;
  const { leftOut, ...found } = kept;
  if (leftOut.length > 0) {
    const names = leftOut.slice(0, SHOWN_LEFT_OUT).map(({ path, reason }) => `${path} (${reason})`);
    const more = leftOut.length > names.length ? `, and ${leftOut.length - names.length} more` : '';
    events?.add({
      type: 'log',
      stream: 'worker',
      text: `Left out of the results: ${names.join(', ')}${more}`.slice(0, 4096),
    });
  }
  const expiresAt = new Date(now().getTime() + limits.resultsKeptMs).toISOString();
  return { ...found, expiresAt };
}

function exitError(exit: ProgramExit, runner: string): ErrorData {
  return new ModelRtcError('unexpected', `The runner ${runner} ended ${howItEnded(exit)}. Its log says why.`, {
    details: { exitCode: exit.code, signal: exit.signal },
  }).toData();
}

function howItEnded({ code, signal }: ProgramExit): string {
  if (signal !== undefined) return `by the signal ${signal}${SIGNAL_REASONS[signal] ?? ''}`;
  return code === undefined ? 'in an unknown way' : `with exit code ${code}`;
}

const SIGNAL_REASONS: Readonly<Record<string, string>> = {
  SIGKILL: ', as when the machine has no memory left',
  SIGSEGV: ', a fault in the program',
  SIGXFSZ: ', since a file grew beyond what the runner allows',
};
