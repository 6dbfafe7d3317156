import { fetchResults } from '../data/fetch-results.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { askWorker } from './ask-worker.ts';
import { findJob, latestJob, listJobs } from './find-jobs.ts';
import { followJob } from './follow-job.ts';
import { submitJob } from './submit-job.ts';
import type { WorkerJobs } from './types.ts';

/** The jobs of a worker's session. */
export function workerJobs(worker: RemoteWorker): WorkerJobs {
  return {
    async runners(options = {}) {
      const answer = await askWorker(worker, options, (peer) =>
        peer.request('list_runners', {}, { signal: options.signal }),
      );
      return answer.runners;
    },
    submit: (options) => submitJob(worker, options),
    list: (options = {}) => listJobs(worker, options),
    find: (ref, options = {}) => findJob(worker, ref, options),
    latest: (options = {}) => latestJob(worker, options),
    fetchResults: (id, target, options = {}) => fetchResults(worker, id, target, options),
    follow: (id, options = {}) => followJob(worker, id, options),
    async cancel(id, options = {}) {
      const answer = await askWorker(worker, options, (peer) =>
        peer.request('cancel_job', { id }, { signal: options.signal }),
      );
      return answer.job;
    },
  };
}
