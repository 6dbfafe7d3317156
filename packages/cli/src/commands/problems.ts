import { type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { FolderReport, RegistryEntry } from '@model-rtc/registry';
import { type ArgumentSpecs, flagOption } from '../command-line/types.ts';
import type { Context } from '../console/context.ts';
import { formatCount, formatTime, printable } from '../console/format.ts';
import { workerKeyOf } from '../console/session-argument.ts';

export const problemsOption = {
  problems: flagOption(
    "Show instead what this machine's worker left out of its folders and why, and models that are not whole",
  ),
} as const satisfies ArgumentSpecs;

/** A registered model that cannot be used as it is. */
interface ModelProblem {
  readonly id: string;
  readonly alias: string | undefined;
  readonly kind: string;
  readonly path: string | undefined;
  readonly reason: string;
}

/** Prints what the worker of this machine left out of the registry, and which registered models are not whole. */
export async function printProblems({ registry, output }: Context): Promise<void> {
  const opened = await registry();
  const folders = await opened.folderReports();
  const { models } = await opened.listKnown({ filters: {}, sort: 'name', location: 'local', limit: undefined });
  const problems = models.flatMap((model) => problemOf(model.entry) ?? failedCheck(model.here) ?? []);
  const lines = [...folders.flatMap(folderLines), ...problems.map(modelLine)];
  output.result({ folders, models: problems }, lines.map(printable).join('\n'));
  if (lines.length === 0) output.note('No problems: nothing was left out, and no model is known to be incomplete.');
}

function problemOf({ id, alias, incomplete, displayStatus }: ModelEntry): ModelProblem | undefined {
  const named = { id, alias };
  if (displayStatus === 'checkpoint_missing' || displayStatus === 'broken_symlink')
    return { ...named, kind: displayStatus, path: undefined, reason: 'its main file is missing' };
  const [first, ...others] = incomplete ?? [];
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : `; and ${formatCount(others.length, 'more file')}`;
  return { ...named, kind: 'incomplete', path: first.path, reason: `${first.path} ${first.problem}${more}` };
}

/** What the last `client validate` found to be wrong. */
function failedCheck(here: RegistryEntry | undefined): ModelProblem | undefined {
  const failed = here?.validation?.results.filter(({ outcome }) => outcome === 'failed') ?? [];
  const [first] = failed;
  if (here === undefined || first === undefined) return undefined;
  const { id, alias } = here;
  const reason = failed.map(({ check, detail = 'failed' }) => `${check}: ${detail}`).join(' ');
  return { id, alias, kind: 'not_valid', path: undefined, reason };
}

function folderLines({ folder, lookedAt, models, leftOut }: FolderReport): string[] {
  const counts = `${formatCount(models, 'model')}, ${leftOut.length} left out`;
  const title = `${folder}: ${counts} (looked through at ${formatTime(lookedAt)})`;
  return [title, ...leftOut.map(({ path, reason }) => `  ${path}: ${reason}`)];
}

function modelLine({ id, alias, reason }: ModelProblem): string {
  return `${alias ?? id}: ${reason}`;
}

/**
 * Requires that a session is of this machine's own worker: its key is the one in this data folder. Only then may the paths
 * of what was left out be shown. Nothing of it ever crosses the wire.
 * @throws ModelRtcError `refused`
 */
export async function requireOwnWorker(context: Context, session: string | undefined): Promise<void> {
  const { ownWorkerKey } = await import('@model-rtc/registry');
  const [asked, own] = [await workerKeyOf(context, session), await ownWorkerKey((await context.registry()).paths.keys)];
  if (asked === own) return;
  throw new ModelRtcError(
    'refused',
    'A worker tells what it left out on its own machine only, since that names files there. Run this command on that machine, with the same data folder.',
  );
}
