import { join } from 'node:path';
import type { JobModel } from '@model-rtc/jobs';
import { type Digest, ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { resolveHere } from '../resolve-here.ts';
import type { HandlerOptions } from '../types.ts';
import type { JobServices } from './types.ts';

/** Puts a job into the queue, or finds the same one. Models and data have to be here. */
export async function submitJob(
  services: HandlerOptions,
  { jobs, data }: Pick<JobServices, 'jobs' | 'data'>,
  owner: string,
  { models, data: inputs, resume, ...request }: Params<'submit_job'>,
): Promise<ResultInput<'submit_job'>> {
  const missing =
    inputs.length === 0 ? [] : await data.missing([...new Set(inputs.map(({ digest }) => digest))], owner);
  if (missing.length > 0) throw missingData(missing);
  return await jobs.submit({
    ...{ ...request, owner, data: inputs },
    models: await Promise.all(models.map((digest) => modelOf(services, digest))),
    resume: resume === undefined ? undefined : await interruptedRun(services, resume),
  });
}

async function modelOf(services: HandlerOptions, digest: Digest): Promise<JobModel> {
  const entry = await services.registry.find(digest);
  if (entry === undefined) throw missingModel(digest);
  const fresh = await services.fresh.ensure(entry);
  // A digest names one content, and that is what the client wants to run.
  if (fresh.digest !== digest) throw missingModel(digest);
  await services.registry.noteUse(digest);
  await requireWhole(services.registry, fresh, digest);
  return jobModel(await services.registry.lookIfWhole(digest), fresh.filesIn ?? fresh.localPath);
}

async function requireWhole(registry: Registry, { alias, id }: RegistryEntry, digest: Digest): Promise<void> {
  const { valid, problems } = await registry.check(digest);
  if (valid) return;
  const [first] = problems;
  throw new ModelRtcError(
    'verification_failed',
    `"${alias ?? id}" is damaged at the worker (${first?.path || 'its notes'}: ${first?.problem}), so it cannot run. Push it again with --if-exists overwrite, or ask the worker's owner to repair it.`,
    { details: { id } },
  );
}

async function interruptedRun(services: HandlerOptions, ref: string): Promise<JobModel> {
  const { entry } = await resolveHere(services, ref);
  if (entry.status === 'interrupted' && entry.digest === undefined && entry.originalPath !== undefined) {
    return jobModel(entry, entry.originalPath);
  }
  const state = entry.status === 'training' ? 'still being trained' : entry.status;
  throw new ModelRtcError(
    'bad_argument',
    `"${entry.alias ?? entry.id}" is ${state} at the worker: only an interrupted training can be resumed. See which there are: model-rtc worker list-models --status interrupted.`,
    { details: { id: entry.id } },
  );
}

function jobModel(entry: RegistryEntry, folder: string): JobModel {
  const { digest, id, alias, modelType, framework, checkpointPath, configPath, codeFiles } = entry;
  const inFolder = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : join(folder, path);
  return {
    ...{ digest, id, alias, modelType, framework, folder, codeFiles },
    checkpoint: inFolder(checkpointPath),
    config: inFolder(configPath),
  };
}

function missingModel(digest: Digest): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `The worker does not have the model ${digest.slice(0, 8)} (any more). Run the same command again; without --no-push it sends the model.`,
    { details: { id: digest.slice(0, 8) } },
  );
}

function missingData(missing: readonly Digest[]): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `The worker does not have ${missing.length === 1 ? 'a part' : `${missing.length} parts`} of the job's data. Send it with push_data, then submit the job again.`,
    { details: { missing } },
  );
}
