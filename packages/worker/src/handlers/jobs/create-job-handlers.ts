import { type Params, type ResultInput, roughSize } from '@model-rtc/protocol';
import type { Handlers } from '@model-rtc/transport';
import { MAX_PAGE_BYTES } from '../../limits.ts';
import type { Answering, HandlerOptions } from '../types.ts';
import { followJob } from './follow-job.ts';
import type { JobResults } from './job-results.ts';
import { submitJob } from './submit-job.ts';
import type { JobServices } from './types.ts';

/** The methods of jobs. */
type JobMethod =
  | ('list_runners' | 'check_data' | 'push_data' | 'submit_job' | 'list_jobs' | 'get_job' | 'follow_job')
  | ('cancel_job' | 'get_results' | 'report_fetched');

interface JobHandlersOptions extends JobServices {
  readonly services: HandlerOptions;
  readonly jobResults: JobResults;
  readonly answering: Answering;
}

/**
 * What one token may do with jobs: it sees its own alone.
 * @param owner - the id of the token
 */
export function createJobHandlers(options: JobHandlersOptions, owner: string): Pick<Handlers, JobMethod> {
  const { jobs, data, services, jobResults, answering } = options;
  return {
    list_runners: answering<'list_runners'>(async () => ({ runners: [...(await jobs.runners())] })),
    check_data: answering<'check_data'>(async ({ digests }) => ({ missing: await data.missing(digests, owner) })),
    push_data: answering<'push_data'>(({ manifest }, context) => data.receive(manifest, owner, context)),
    submit_job: answering<'submit_job'>((params) => submitJob(services, { jobs, data }, owner, params)),
    list_jobs: answering<'list_jobs'>((params) => listJobs(jobs, owner, params)),
    get_job: answering<'get_job'>(async ({ id }) => ({ job: await jobs.get(owner, id) })),
    follow_job: answering<'follow_job'>((params, context) => followJob(jobs, owner, params, context)),
    cancel_job: answering<'cancel_job'>(async ({ id }) => ({ job: await jobs.cancel(owner, id) })),
    get_results: answering<'get_results'>(({ id }) => jobResults.describe(owner, id)),
    report_fetched: answering<'report_fetched'>(async ({ id }) => {
      await jobs.fetched(owner, id);
      return {};
    }),
  };
}

async function listJobs(
  jobs: JobServices['jobs'],
  owner: string,
  params: Params<'list_jobs'>,
): Promise<ResultInput<'list_jobs'>> {
  const { jobs: found, nextCursor, total } = await jobs.list(owner, params);
  const isTooLong = found.length > 1 && roughSize(found) > MAX_PAGE_BYTES;
  if (isTooLong) return await listJobs(jobs, owner, { ...params, limit: found.length >> 1 });
  return { jobs: [...found], nextCursor, total };
}
