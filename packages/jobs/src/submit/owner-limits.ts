import { freeBytes } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { MIN_FREE_BYTES } from '../limits.ts';
import type { StoredJob } from '../store/stored-job.ts';
import type { JobsLimits } from '../types.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Whether an owner may have one more job.
 * @param all the jobs of all owners, `own` those of this one
 * @throws ModelRtcError `busy` that names the limit
 */
export function checkLimits(all: readonly StoredJob[], own: readonly StoredJob[], limits: JobsLimits, now: Date): void {
  const open = own.filter(({ hasEnded }) => !hasEnded).length;
  if (open >= limits.maxOpenPerOwner) {
    throw busy(
      `${open} jobs of this session wait or run, which is all that it may have. Wait for some of them, or cancel them.`,
    );
  }
  if (all.filter(({ hasEnded }) => !hasEnded).length >= limits.maxOpen) {
    throw busy('The queue of the worker is full. Try again later.');
  }
  const { maxRunMsPerOwnerAndDay: maxMs } = limits;
  if (maxMs === undefined || runMs(own, now) < maxMs) return;
  throw busy(
    `Jobs of this session ran for ${maxMs / 1000} s in the last 24 hours, which is all that they may. Try again later.`,
  );
}

/** @throws ModelRtcError `storage_full` when the worker could not even write the job down */
export async function checkRoom(folder: string): Promise<void> {
  if ((await freeBytes(folder)) >= MIN_FREE_BYTES) return;
  throw new ModelRtcError('storage_full', "The worker's disk is full. Ask its owner to free some space.");
}

/** How long jobs ran within the last day. */
function runMs(jobs: readonly StoredJob[], now: Date): number {
  const until = now.getTime();
  const since = until - DAY_MS;
  return jobs.reduce((sum, { record: { job } }) => {
    if (job.startedAt === undefined) return sum;
    const end = Math.min(job.endedAt === undefined ? until : Date.parse(job.endedAt), until);
    return sum + Math.max(0, end - Math.max(Date.parse(job.startedAt), since));
  }, 0);
}

function busy(message: string): ModelRtcError {
  return new ModelRtcError('busy', message);
}
