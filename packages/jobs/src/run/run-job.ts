import { type ErrorData, ModelRtcError, namesLocalPath, withoutUndefined } from '@model-rtc/protocol';
import type { ProgramExit } from '../process/launch.ts';
import type { StoredJob } from '../store/stored-job.ts';
import { finishJob, type JobEnd, removeLeftovers, stoppedEnd } from './finish-job.ts';
import { prepareJob } from './prepare-job.ts';
import { runProgram } from './run-program.ts';
import type { StopSwitch } from './stop-switch.ts';
import type { RunContext } from './types.ts';

/** Takes a queued job through its states until it has ended. Never throws: what goes wrong is the job's end. */
export async function runJob(job: StoredJob, context: RunContext, stop: StopSwitch): Promise<void> {
  const end = await tryToRun(job, context, stop);
  if (end !== undefined) await endJob(job, context, end);
}

/** Goes on with a job whose program had ended when the worker did. */
export async function resumeFinishing(job: StoredJob, context: RunContext, stop: StopSwitch): Promise<void> {
  const { code, signal } = job.record.job.exit ?? {};
  const exit = { code, signal };
  const end = await finishJob(job, exit, context, stop.signal).catch((error) =>
    endOfFailure(job, error, context, stop, exit),
  );
  if (end !== undefined) await endJob(job, context, end);
}

/** Enters a job's last state, and removes what it needs no more. */
export async function endJob(job: StoredJob, context: RunContext, { state, change }: JobEnd): Promise<void> {
  await removeLeftovers(job, context, change.results !== undefined);
  await job.enter(state, { ...change, endedAt: context.now().toISOString() });
  const { owner, job: seen } = job.record;
  await context.audit.add({
    ...{ event: 'ended', owner, job: job.id, state, startedAt: seen.startedAt, exit: change.exit },
    ...{ error: change.error?.message, usage: seen.usage, results: change.results },
  });
}

/** @returns undefined for a job that goes on when the worker does */
async function tryToRun(job: StoredJob, context: RunContext, stop: StopSwitch): Promise<JobEnd | undefined> {
  let exit: ProgramExit | undefined;
  try {
    stop.check();
    await job.enter('preparing');
    const runner = await context.runner(job.record.job.runner);
    const prepared = await prepareJob(job.record, job.paths, runner, context.dataSets, stop.signal);
    await context.audit.add({ ...{ event: 'started', owner: job.record.owner, job: job.id, argv: prepared.argv } });
    exit = await runProgram(job, runner, prepared, context, stop);
    stop.check();
    await job.enter('finishing', { exit: withoutUndefined(exit) });
    return await finishJob(job, exit, context, stop.signal);
  } catch (error) {
    return endOfFailure(job, error, context, stop, exit);
  }
}

function endOfFailure(
  job: StoredJob,
  thrown: unknown,
  { log }: RunContext,
  { reason }: StopSwitch,
  exit: ProgramExit | undefined,
): JobEnd | undefined {
  // Only a program that ran cannot go on.
  if (reason?.state === 'lost' && job.state !== 'running') return undefined;
  if (reason !== undefined) return stoppedEnd(reason, exit);
  const error = ModelRtcError.from(thrown);
  log.warn({ job: job.id, error }, 'a job could not be run');
  return stoppedEnd({ state: 'failed', error: clientError(error) }, exit);
}

/** What a client may know of a failure at the worker: no paths of the machine. */
function clientError(error: ModelRtcError): ErrorData {
  const { code, message } = error;
  if (!namesLocalPath(error)) return { code, message };
  const why = code === 'storage_full' ? 'its disk is full' : "the reason is in the worker's log";
  return { code, message: `The worker cannot read or write the files of this job: ${why}. Tell its owner.` };
}
