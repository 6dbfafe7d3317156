import { type Alias, aliasProblem, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { ImportResult, Registry } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { createProgressView } from '../console/progress.ts';

export interface ImportModelOptions {
  readonly path: string;
  readonly alias?: string | undefined;
  readonly modelType?: string | undefined;
  readonly copy: boolean;
  readonly yes: boolean;
}

/** Left-out files are listed up to here; a folder of logs can hold thousands. */
const MAX_SKIPPED_SHOWN = 8;

export async function importModel(context: Context, options: ImportModelOptions): Promise<void> {
  const registry = await context.registry();
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const view = createProgressView(context.runtime.stderr, context.output);
  let imported: ImportResult;
  try {
    const bring = (await registry.isArchive(options.path)) ? registry.importArchive : registry.importModel;
    imported = await bring(options.path, {
      alias,
      modelType: options.modelType,
      copy: options.copy,
      signal: context.signal,
      onProgress: ({ phase, doneBytes, totalBytes }) => view.show({ type: 'local', phase, doneBytes, totalBytes }),
    });
  } finally {
    view.end();
  }
  const entry = await nameIt(context, registry, imported, options);
  reportSkipped(context, imported.skipped);
  const { outcome, manifest } = imported;
  const called = entry.alias === undefined ? entry.id : `${entry.alias} (${entry.id})`;
  const what = `${entry.modelType}, ${manifest.files.length} ${manifest.files.length === 1 ? 'file' : 'files'}, ${formatBytes(entry.size)}`;
  const how =
    outcome === 'already_there' ? 'Already here as' : entry.linked ? 'Imported (linked)' : 'Imported (copied)';
  context.output.result({ outcome, entry, skipped: imported.skipped }, `${how} ${printable(called)}: ${what}`);
}

/** A model without an alias is offered one after its folder; a person may choose another, a script takes it as it is. */
async function nameIt(
  context: Context,
  registry: Registry,
  { entry, suggestedAlias }: ImportResult,
  options: ImportModelOptions,
): Promise<ImportResult['entry']> {
  if (entry.alias !== undefined || suggestedAlias === undefined) return entry;
  const alias = context.interactive && !options.yes ? await askAlias(suggestedAlias) : suggestedAlias;
  return alias === undefined ? entry : await registry.tag(entry.id, alias);
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
