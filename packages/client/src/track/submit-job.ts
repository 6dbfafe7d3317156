import { randomBytes } from 'node:crypto';
import { type Digest, isDigest, type JobData, ModelRtcError, type ParamsInput, type Result } from '@model-rtc/protocol';
import type { FileSet } from '@model-rtc/registry';
import { sendData } from '../data/send-data.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import { askWorker } from './ask-worker.ts';
import { findJobModel } from './find-model.ts';
import { sendModels } from './send-models.ts';
import type { JobModel, SubmittedJob, TrackOptions } from './types.ts';

/** Data may leave a full cache between its arrival and the job; more often than this, the cache is too small for it. */
const MAX_SUBMITS = 3;

/** See `WorkerJobs.submit`. */
export async function submitJob(worker: RemoteWorker, options: TrackOptions): Promise<SubmittedJob> {
  // Before anything is read or hashed here for a worker that cannot run it.
  await askWorker(worker, options, async () => {});
  const models: JobModel[] = [];
  for (const ref of options.models) {
    const model = await findJobModel(worker, ref, options);
    options.onModel?.(model);
    models.push(model);
  }
  const sets: FileSet[] = [];
  for (const path of options.data) {
    const set = await hashData(worker, path, options);
    options.onData?.(set);
    sets.push(set);
  }
  await sendModels(worker, models, options);
  const again = options.again === true ? randomBytes(16).toString('hex') : undefined;
  const { runner, resume, settings = {} } = options;
  const params = {
    models: models.map(({ digest }) => digest),
    data: sets.map(jobData),
    runner,
    resume,
    settings,
    again,
  };
  for (let submits = 1; ; submits++) {
    await sendData(worker, sets, options);
    try {
      return { ...(await submit(worker, params, options)), models };
    } catch (error) {
      if (submits === MAX_SUBMITS || missingData(error).length === 0) throw error;
    }
  }
}

async function hashData(
  { registry }: RemoteWorker,
  path: string,
  { signal, onProgress }: TrackOptions,
): Promise<FileSet> {
  return await registry.hashFileSet(path, {
    signal,
    onProgress: (progress) => onProgress?.({ type: 'local', phase: 'hash', ...progress }),
  });
}

function jobData({ digest, name, form }: FileSet): JobData {
  return { digest, name, form };
}

/** Asked again after a lost connection: the worker finds the job that the lost answer was about. */
async function submit(
  worker: RemoteWorker,
  params: ParamsInput<'submit_job'>,
  options: TrackOptions,
): Promise<Result<'submit_job'>> {
  return await askWorker(worker, options, (peer) => peer.request('submit_job', params, { signal: options.signal }));
}

/** The data that the worker says that it lacks. */
function missingData(error: unknown): Digest[] {
  const { code, details } = ModelRtcError.from(error);
  const missing = code === 'not_found' && Array.isArray(details?.missing) ? details.missing : [];
  return missing.filter((digest): digest is Digest => typeof digest === 'string' && isDigest(digest));
}
