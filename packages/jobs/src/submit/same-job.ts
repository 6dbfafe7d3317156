import { createHash } from 'node:crypto';
import { type Digest, isEnded, type Settings } from '@model-rtc/protocol';
import type { StoredJob } from '../store/stored-job.ts';
import type { JobRequest } from '../types.ts';

/** What makes two requests the same job: owner, models in order, data in order, runner and settings, with their defaults. */
export function sameJobKey({ owner, models, data, resume }: JobRequest, runner: string, settings: Settings): Digest {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  const identity = {
    ...{ owner, runner, settings: sorted },
    models: models.map(({ digest, folder }) => digest ?? folder),
    data: data.map(({ digest, form }) => [digest, form]),
    resume: resume?.folder,
  };
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex') as Digest;
}

/**
 * The job that a request already made: the one with its word, when it has one; else the newest that is the same and waits, runs,
 * or completed with all that it wrote still there.
 * @param jobs of the owner, in the order in which they came
 */
export function findSameJob(jobs: readonly StoredJob[], key: Digest, again: string | undefined): StoredJob | undefined {
  if (again !== undefined) return jobs.findLast(({ record }) => record.again === again);
  return jobs.findLast(({ record, state }) => {
    if (record.sameKey !== key) return false;
    return !isEnded(state) || (state === 'completed' && record.resultsDeletedAt === undefined);
  });
}
