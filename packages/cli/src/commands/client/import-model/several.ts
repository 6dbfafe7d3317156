import { join, resolve } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ModelInFolder, Registry } from '@model-rtc/registry';
import { chooseSeveral } from '../../../console/ask.ts';
import type { Context } from '../../../console/context.ts';
import { formatCount, printable } from '../../../console/format.ts';
import { refuseGiven } from '../../refuse-given.ts';
import { type BroughtIn, bringIn, importedText } from './bring-in.ts';
import { fileOptions, type ImportOptions } from './options.ts';

/** Failures that the last message names; the list has all. */
const MAX_NAMED = 3;

/** Whether an import was refused because it came upon several models. */
export function isSeveral(error: ModelRtcError): boolean {
  return error.code === 'bad_argument' && Array.isArray(error.details?.models);
}

/** The models at a path that holds several; empty when an import takes it as one. */
export async function listSeveral(
  { signal }: Context,
  registry: Registry,
  options: ImportOptions,
): Promise<readonly ModelInFolder[]> {
  if (await registry.isArchive(options.path)) return [];
  return await registry.findModels(options.path, { ...fileOptions(options), revision: options.revision, signal });
}

/** Asks which of several models to import. @throws ModelRtcError `cancelled` */
export async function askWhich(
  context: Context,
  models: readonly ModelInFolder[],
  path: string,
): Promise<readonly ModelInFolder[]> {
  const text = `${path} holds ${models.length} models. Which ones?`;
  const choices = models.map((model, i) => ({ value: String(i), label: labelOf(model) }));
  const chosen = new Set(await chooseSeveral(context, { text, flag: '--all' }, choices));
  return models.filter((_, i) => chosen.has(String(i)));
}

function labelOf({ name, path }: ModelInFolder): string {
  return name === path || path === '' ? printable(name) : printable(`${name}  (${path})`);
}

type Outcome = { readonly path: string } & ({ readonly imported: BroughtIn } | { readonly error: ModelRtcError });

/**
 * Imports models one after the other, and prints what became of each. One that fails does not stop the others.
 * @throws ModelRtcError `cancelled`; when some failed, an error of the first one's code
 */
export async function importEach(
  context: Context,
  registry: Registry,
  models: readonly ModelInFolder[],
  options: ImportOptions,
): Promise<void> {
  requireNamesOfNone(options);
  const outcomes: Outcome[] = [];
  // Nobody wants to be asked for each of a hundred models: each gets the name that it would be offered.
  const quiet = { ...context, interactive: false };
  for (const { path } of models) {
    const done = `Cancelled; ${outcomes.filter(isImported).length} of ${models.length} models were imported before.`;
    context.explainCancel(done);
    const place = join(resolve(options.path), path);
    outcomes.push({
      path: place,
      ...(await importOne(quiet, registry, { ...options, path: place, revision: undefined })),
    });
    context.signal.throwIfAborted();
  }
  const failed = outcomes.filter((outcome) => !isImported(outcome));
  context.output.result(
    { models: outcomes.map(asJson), imported: outcomes.length - failed.length, failed: failed.length },
    outcomes.map(lineOf).join('\n'),
  );
  if (failed.length > 0) throw failure(failed, outcomes.length);
}

/** @throws ModelRtcError `bad_argument` for what only one model can have */
function requireNamesOfNone(options: ImportOptions): void {
  const sentence = (option: string) =>
    `${option} names one model, and this import takes several. Leave it out: each gets the name of its file or folder.`;
  refuseGiven(options, ['alias', 'name'], sentence);
}

async function importOne(
  context: Context,
  registry: Registry,
  options: ImportOptions,
): Promise<{ readonly imported: BroughtIn } | { readonly error: ModelRtcError }> {
  try {
    return { imported: await bringIn(context, registry, options) };
  } catch (thrown) {
    return { error: ModelRtcError.from(thrown) };
  }
}

function isImported(outcome: Outcome): outcome is { readonly path: string; readonly imported: BroughtIn } {
  return 'imported' in outcome;
}

function asJson(outcome: Outcome): object {
  if (!isImported(outcome)) return { path: outcome.path, error: outcome.error.toData() };
  const { outcome: what, entry, skipped, followed = [], converted } = outcome.imported;
  return { path: outcome.path, outcome: what, entry, skipped, followed, converted };
}

function lineOf(outcome: Outcome): string {
  return isImported(outcome)
    ? importedText(outcome.imported)
    : `Not imported: ${printable(outcome.path)}: ${printable(outcome.error.message)}`;
}

function failure(failed: readonly Outcome[], count: number): ModelRtcError {
  const errors = failed.flatMap((outcome) => (isImported(outcome) ? [] : [outcome]));
  const names = errors.slice(0, MAX_NAMED).map(({ path }) => path);
  const more = errors.length > MAX_NAMED ? ` and ${errors.length - MAX_NAMED} more` : '';
  const sentence = `${failed.length} of ${formatCount(count, 'model')} could not be imported: ${names.join(', ')}${more}. The list says why.`;
  return new ModelRtcError(errors[0]?.error.code ?? 'unexpected', sentence, { cause: errors[0]?.error });
}
