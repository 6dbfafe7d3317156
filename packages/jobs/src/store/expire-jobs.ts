import type { AuditLog } from '../audit/audit-log.ts';
import { MAX_ENDED_JOBS_PER_OWNER } from '../limits.ts';
import type { JobsLimits } from '../types.ts';
import type { JobBook } from './job-book.ts';
import { removeTree } from './remove-tree.ts';
import type { StoredJob } from './stored-job.ts';

/** Deletes results whose time is up or for which there is no room, and forgets jobs that ended long ago. */
export async function expireJobs(book: JobBook, limits: JobsLimits, audit: AuditLog, now: Date): Promise<void> {
  for (const jobs of byOwner(book.all().filter(({ hasEnded }) => hasEnded)).values()) {
    for (const [job, why] of resultsToDelete(jobs, limits, now)) await deleteResults(job, why, audit, now);
    for (const job of jobsToForget(jobs, limits, now)) {
      await book.remove(job);
      await audit.add({ event: 'forgotten', owner: job.record.owner, job: job.id });
    }
  }
}

/** @param jobs in the order in which they came */
function resultsToDelete(jobs: readonly StoredJob[], limits: JobsLimits, now: Date): Map<StoredJob, string> {
  const deleted = new Map<StoredJob, string>();
  let keptBytes = 0;
  for (const job of [...jobs].reverse()) {
    const { results } = job.record.job;
    if (results === undefined) continue;
    keptBytes += results.bytes;
    if (isExpired(job, now)) deleted.set(job, 'expired');
    else if (keptBytes > limits.maxKeptOutputBytesPerOwner) deleted.set(job, 'no room');
  }
  return deleted;
}

function isExpired({ record: { job } }: StoredJob, now: Date): boolean {
  return now.getTime() >= Date.parse(job.results?.expiresAt ?? job.endedAt ?? job.createdAt);
}

async function deleteResults(job: StoredJob, why: string, audit: AuditLog, now: Date): Promise<void> {
  // In the record first: a job never names results that are half gone.
  await job.change(({ job: { results: _, ...seen }, ...record }) => ({
    ...record,
    job: seen,
    resultsDeletedAt: now.toISOString(),
  }));
  for (const folder of [job.paths.output, job.paths.results]) await removeTree(folder);
  await audit.add({ event: 'results_deleted', owner: job.record.owner, job: job.id, why });
}

function jobsToForget(jobs: readonly StoredJob[], limits: JobsLimits, now: Date): StoredJob[] {
  const before = now.getTime() - limits.endedJobsKeptMs;
  const tooMany = jobs.length - MAX_ENDED_JOBS_PER_OWNER;
  return jobs.filter(
    ({ record }, index) => index < tooMany || Date.parse(record.job.endedAt ?? record.job.createdAt) < before,
  );
}

function byOwner(jobs: readonly StoredJob[]): Map<string, StoredJob[]> {
  const owners = new Map<string, StoredJob[]>();
  for (const job of jobs) {
    const { owner } = job.record;
    owners.set(owner, [...(owners.get(owner) ?? []), job]);
  }
  return owners;
}
