import { randomBytes } from 'node:crypto';
import { type Job, withoutUndefined } from '@model-rtc/protocol';
import type { RunContext } from '../run/types.ts';
import { checkSettings } from '../runners/check-settings.ts';
import { chooseRunner } from '../runners/choose-runner.ts';
import type { JobBook } from '../store/job-book.ts';
import type { JobRecord, StoredModel } from '../store/job-record.ts';
import type { StoredJob } from '../store/stored-job.ts';
import type { FoundRunner, JobModel, JobRequest } from '../types.ts';
import { checkCode, findData } from './check-request.ts';
import { checkLimits, checkRoom } from './owner-limits.ts';
import { findSameJob, sameJobKey } from './same-job.ts';

const MARKER_BYTES = 16;

/**
 * Checks a request and makes a job of it, or finds the one that it already made. The caller asks for one at a time.
 * @throws ModelRtcError as `Jobs.submit` does
 */
export async function submitJob(
  request: JobRequest,
  runners: readonly FoundRunner[],
  book: JobBook,
  { root, dataSets, limits, now }: RunContext,
): Promise<{ readonly job: StoredJob; readonly isNew: boolean }> {
  const { owner, models, data, resume, again } = request;
  const found = await findData(data, owner, dataSets);
  const used = resume === undefined ? models : [resume];
  const choice = { runner: request.runner, models: used, data: found, isResume: resume !== undefined };
  const runner = chooseRunner(runners, choice);
  const { values: settings } = checkSettings(runner, request.settings);
  checkCode(used, runner);
  const own = book.of(owner);
  const sameKey = sameJobKey(request, runner.name, settings);
  const same = findSameJob(own, sameKey, again);
  if (same !== undefined) return { job: same, isNew: false };
  checkLimits(book.all(), own, limits, now());
  await checkRoom(root);
  const job = await book.add((id, sequence) => ({
    ...{ version: 1, owner, sequence, sameKey, marker: randomBytes(MARKER_BYTES).toString('hex') },
    ...{ models: models.map(storedModel), settings, job: newJob(id, request, runner.name, settings, now()) },
    ...withoutUndefined({ again, resume: resume && storedModel(resume) }),
  }));
  return { job, isNew: true };
}

function newJob(
  id: string,
  { models, data, resume }: JobRequest,
  runner: string,
  settings: Job['settings'],
  now: Date,
): JobRecord['job'] {
  return {
    ...{ id, state: 'queued', runner, data: [...data], settings, createdAt: now.toISOString() },
    models: models.flatMap(({ digest, id: model, alias, folder, checkpoint }) =>
      digest === undefined
        ? []
        : [{ digest, id: model, ...withoutUndefined({ alias, checkpoint: inside(folder, checkpoint) }) }],
    ),
    ...withoutUndefined({ resume: resume?.alias ?? resume?.id }),
  };
}

/** Clients learn a path in the model, not on this machine. */
function inside(folder: string, path: string | undefined): string | undefined {
  return path?.startsWith(folder) === true ? path.slice(folder.length + 1) : undefined;
}

function storedModel({ codeFiles: _, ...model }: JobModel): StoredModel {
  const { id, modelType, folder, ...others } = model;
  return { id, modelType, folder, ...withoutUndefined(others) };
}
