import type { ErrorData } from '@model-rtc/protocol';
import { JobProcesses } from '../process/job-processes.ts';
import { endJob } from '../run/run-job.ts';
import type { RunContext } from '../run/types.ts';
import type { StoredJob } from '../store/stored-job.ts';
import type { JobQueue } from './job-queue.ts';

/** Why a job is lost. */
export const LOST: ErrorData = {
  code: 'unexpected',
  message: 'The worker ended while this job ran, so nobody knows how it went. Its log is kept. Run it again.',
};

/**
 * Puts the jobs of an earlier worker in order: those that waited wait again, those that ran are lost, with all that is left of
 * their programs ended, and those whose program had ended go on from there.
 * @param jobs that have not ended, in the order of the queue
 */
export async function recoverJobs(jobs: readonly StoredJob[], queue: JobQueue, context: RunContext): Promise<void> {
  const ran = jobs.filter(({ state }) => state === 'running');
  for (const job of jobs) {
    if (job.state === 'finishing') queue.addFinishing(job);
    else if (job.state !== 'running') {
      // Nothing of it ran yet.
      if (job.state !== 'queued') await job.enter('queued');
      queue.add(job);
    }
  }
  await Promise.all(ran.map((job) => endLost(job, context)));
}

async function endLost(job: StoredJob, context: RunContext): Promise<void> {
  const { program, marker } = job.record;
  const left = new JobProcesses({
    ...{ table: context.table, marker, unit: undefined, isLeft: true },
    ...{ pid: program?.pid ?? 0, started: program?.startTicks ?? 'unknown' },
  });
  const stuck = await left.end(context.limits.killAfterMs);
  if (stuck.length > 0) context.log.warn({ job: job.id }, 'what is left of a job does not end');
  await endJob(job, context, { state: 'lost', change: { error: LOST } });
}
