import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, exists } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { checkSettings } from '../runners/check-settings.ts';
import { fillArgs, writesIntoFolder } from '../runners/placeholders.ts';
import type { Runner } from '../runners/runner-schema.ts';
import type { JobPaths } from '../store/job-paths.ts';
import type { JobRecord } from '../store/job-record.ts';
import { removeTree } from '../store/remove-tree.ts';
import type { DataSets } from '../types.ts';

const PRIVATE = 0o700;
const READ_ONLY = 0o500;

/** What a job's program is started with. */
export interface PreparedJob {
  /** The program as the runner names it, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
}

/**
 * Makes a job's folders, puts its data there and fills its runner's arguments. What an earlier attempt left is removed first.
 * @throws ModelRtcError `not_found` when a model or data set is gone meanwhile, `bad_argument` when the runner was changed so that
 * the job does not fit it any more, `storage`, `cancelled` by the signal
 */
export async function prepareJob(
  record: JobRecord,
  paths: JobPaths,
  runner: Runner,
  dataSets: DataSets,
  signal: AbortSignal,
): Promise<PreparedJob> {
  await requireModels(record);
  await removeWork(paths);
  await removeTree(paths.output);
  await atStorage(paths.folder, 'written', async () => {
    for (const folder of [paths.input, paths.output, paths.work, temporaryFolder(paths)]) {
      await mkdir(folder, { mode: PRIVATE, recursive: true });
    }
  });
  const inputs = await placeInputs(record, paths, dataSets, signal);
  const args = (record.resume === undefined ? runner.args : runner.resume) ?? [];
  if (writesIntoFolder(args)) await atStorage(paths.result, 'written', () => mkdir(paths.result, { mode: PRIVATE }));
  const { texts } = checkSettings(runner, record.settings);
  const models = record.resume === undefined ? record.models : [record.resume];
  const [first] = models;
  const argv = fillArgs(args, {
    ...{ models: models.map(({ folder }) => folder), checkpoint: first?.checkpoint, config: first?.config },
    ...{ inputs, output: paths.result, settings: texts },
  });
  return { argv: argv as [string, ...string[]], cwd: runner.cwd ?? paths.work };
}

/** Where a job's program finds room for what nobody keeps. */
export function temporaryFolder({ work }: JobPaths): string {
  return join(work, 'tmp');
}

/** Removes what nobody needs after a job: its inputs, and what it wrote beside the results. @throws ModelRtcError `storage` */
export async function removeWork({ input, work }: JobPaths): Promise<void> {
  await removeTree(input);
  await removeTree(work);
}

async function requireModels({ models, resume }: JobRecord): Promise<void> {
  for (const { folder, checkpoint, alias, id } of resume === undefined ? models : [resume]) {
    if ((await exists(folder)) && (checkpoint === undefined || (await exists(checkpoint)))) continue;
    throw new ModelRtcError(
      'not_found',
      `The model ${alias ?? id} was removed from the worker while the job waited. Push it and run the job again.`,
    );
  }
}

async function placeInputs(
  { job: { data } }: JobRecord,
  { input }: JobPaths,
  dataSets: DataSets,
  signal: AbortSignal,
): Promise<string[]> {
  const placed: string[] = [];
  for (const [index, one] of data.entries()) {
    signal.throwIfAborted();
    // A folder for each: two data sets may have one name.
    const folder = join(input, String(index + 1));
    const path = join(folder, one.name);
    await atStorage(folder, 'written', () => mkdir(folder, { mode: PRIVATE }));
    await dataSets.place(one, path, { signal });
    await chmod(folder, READ_ONLY);
    placed.push(path);
  }
  await chmod(input, READ_ONLY);
  return placed;
}
