import { type Alias, type AliasConflict, aliasProblem, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { ImportIfExists, ImportResult, Registry } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { createProgressView } from '../console/progress.ts';
import { settlingAlias, settlingDuplicate } from './settle-names.ts';

export interface ImportModelOptions {
  readonly path: string;
  readonly alias?: string | undefined;
  readonly aliasConflict?: AliasConflict | undefined;
  readonly ifExists?: ImportIfExists | undefined;
  readonly name?: string | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly notes?: string | undefined;
  readonly parent?: string | undefined;
  readonly safeOnly: boolean;
  readonly modelType?: string | undefined;
  readonly copy: boolean;
  readonly yes: boolean;
}

/** Left-out files are listed up to here; a folder of logs can hold thousands. */
const MAX_SKIPPED_SHOWN = 8;

export async function importModel(context: Context, options: ImportModelOptions): Promise<void> {
  const registry = await context.registry();
  const asked = options.yes ? { ...context, interactive: false } : context;
  const imported = await settlingDuplicate(asked, options.ifExists, (ifExists) =>
    settlingAlias(asked, options.aliasConflict, (aliasConflict) =>
      bringIn(context, registry, { ...options, ifExists, aliasConflict }),
    ),
  );
  const entry = await nameIt(asked, registry, imported, options);
  reportSkipped(context, imported.skipped);
  const { outcome, manifest } = imported;
  const called = entry.alias === undefined ? entry.id : `${entry.alias} (${entry.id})`;
  const what = `${entry.modelType}, ${manifest.files.length} ${manifest.files.length === 1 ? 'file' : 'files'}, ${formatBytes(entry.size)}`;
  const how =
    outcome === 'already_there' ? 'Already here as' : entry.linked ? 'Imported (linked)' : 'Imported (copied)';
  context.output.result({ outcome, entry, skipped: imported.skipped }, `${how} ${printable(called)}: ${what}`);
}

async function bringIn(context: Context, registry: Registry, options: ImportModelOptions): Promise<ImportResult> {
  const { path, tag: tags, modelType, copy, name, notes, parent, ifExists, aliasConflict, safeOnly } = options;
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const view = createProgressView(context.runtime.stderr, context.output);
  try {
    const bring = (await registry.isArchive(path)) ? registry.importArchive : registry.importModel;
    return await bring(path, {
      ...{ alias, aliasConflict, ifExists, name, tags, notes, parent, safeOnly, modelType, copy },
      signal: context.signal,
      onProgress: ({ phase, doneBytes, totalBytes }) => view.show({ type: 'local', phase, doneBytes, totalBytes }),
    });
  } finally {
    view.end();
  }
}

/** A model without an alias is offered one after its folder; a person may choose another, a script takes it as it is. */
async function nameIt(
  context: Context,
  registry: Registry,
  { entry, suggestedAlias, outcome }: ImportResult,
  { alias: wanted, ifExists, aliasConflict }: ImportModelOptions,
): Promise<ImportResult['entry']> {
  const isLeft = outcome === 'already_there' && ifExists === 'skip';
  // One that was to have another model's alias, and left it there, has none on purpose.
  if (entry.alias !== undefined || suggestedAlias === undefined || isLeft || wanted !== undefined) return entry;
  if (!context.interactive) return await registry.tag(entry.id, suggestedAlias, { aliasConflict: 'rename' });
  const alias = await askAlias(suggestedAlias);
  if (alias === undefined) return entry;
  return await settlingAlias(context, aliasConflict, (conflict) =>
    registry.tag(entry.id, alias, { aliasConflict: conflict }),
  );
}

async function askAlias(suggestion: Alias): Promise<Alias | undefined> {
  const { text, isCancel } = await import('@clack/prompts');
  const answer = await text({
    message: 'Its alias (empty for none)?',
    initialValue: suggestion,
    validate: (value) => (value === undefined || value === '' ? undefined : aliasProblem(value)),
    output: process.stderr,
  });
  if (isCancel(answer))
    throw new ModelRtcError(
      'cancelled',
      'Cancelled; the model is registered without an alias. Name it: model-rtc client tag-model.',
    );
  return answer === undefined || answer === '' ? undefined : parseAlias(answer);
}

function reportSkipped({ output }: Context, skipped: ImportResult['skipped']): void {
  if (skipped.length === 0) return;
  const shown = skipped
    .slice(0, MAX_SKIPPED_SHOWN)
    .map(({ path, reason }) => `${printable(path)} (${reason})`)
    .join(', ');
  const more = skipped.length > MAX_SKIPPED_SHOWN ? ` and ${skipped.length - MAX_SKIPPED_SHOWN} more` : '';
  output.note(`Left out: ${shown}${more}`);
}
