import { isEnded, type Job, jobIdSchema, MAX_PAGE, ModelRtcError, unlessFails } from '@model-rtc/protocol';
import type { RemoteWorker } from '../remote-worker.ts';
import { askWorker } from './ask-worker.ts';
import type { ListJobsOptions, WorkOptions } from './types.ts';

/** No worker keeps this many jobs of one session. */
const MAX_LISTED = 100_000;
/** Jobs that a message names. */
const MAX_NAMED = 5;

/** See `WorkerJobs.list`. */
export async function listJobs(
  worker: RemoteWorker,
  { states, limit = MAX_LISTED, signal }: ListJobsOptions,
): Promise<{ jobs: Job[]; total: number }> {
  return await askWorker(worker, { signal }, async (peer) => {
    const jobs: Job[] = [];
    for (let cursor: string | undefined; ; ) {
      const wanted = { states: states === undefined ? undefined : [...states], cursor };
      const pageLimit = Math.min(MAX_PAGE, limit - jobs.length);
      const page = await peer.request('list_jobs', { ...wanted, limit: pageLimit }, { signal });
      jobs.push(...page.jobs);
      cursor = page.nextCursor;
      // A page without jobs that says there is another would go on for ever.
      if (cursor === undefined || jobs.length >= limit || page.jobs.length === 0) return { jobs, total: page.total };
    }
  });
}

/** See `WorkerJobs.find`. */
export async function findJob(worker: RemoteWorker, ref: string, options: WorkOptions): Promise<Job> {
  const wanted = ref.trim().toLowerCase();
  if (jobIdSchema.safeParse(wanted).success) {
    const asking = askWorker(worker, options, (peer) => peer.request('get_job', { id: wanted }, options));
    const exact = await unlessFails(asking, 'not_found');
    if (exact !== undefined) return exact.job;
  }
  if (!/^[a-z0-9]{1,32}$/.test(wanted)) throw unknownJob(ref, worker);
  const { jobs } = await listJobs(worker, options);
  const [found, ...others] = jobs.filter(({ id }) => id.startsWith(wanted));
  if (found === undefined) throw unknownJob(ref, worker);
  if (others.length > 0) throw severalJobs(ref, [found, ...others]);
  return found;
}

/** The job that a command means when it names none: the only one that has not ended, else the newest. */
export async function latestJob(worker: RemoteWorker, options: WorkOptions): Promise<Job> {
  const { jobs } = await listJobs(worker, options);
  const open = jobs.filter(({ state }) => !isEnded(state));
  if (open.length > 1) throw severalJobs(undefined, open);
  const [job] = open.length === 1 ? open : jobs;
  if (job !== undefined) return job;
  throw new ModelRtcError(
    'not_found',
    `This session has no jobs at ${worker.known.name}. Start one: model-rtc track --model REF --data FILE.`,
  );
}

function unknownJob(ref: string, { known }: RemoteWorker): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `This session has no job "${ref}" at ${known.name}. See which it has: model-rtc jobs list.`,
    { details: { ref } },
  );
}

function severalJobs(ref: string | undefined, jobs: readonly Job[]): ModelRtcError {
  const names = jobs.slice(0, MAX_NAMED).map(({ id, state }) => `${id} (${state})`);
  const more = jobs.length > names.length ? ` and ${jobs.length - names.length} more` : '';
  const which = ref === undefined ? 'Several jobs have not ended' : `Several jobs begin with "${ref}"`;
  return new ModelRtcError('ambiguous', `${which}: ${names.join(', ')}${more}. Name one of them.`, {
    details: { candidates: jobs.slice(0, MAX_NAMED).map(({ id }) => ({ id })) },
  });
}
