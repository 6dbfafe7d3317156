import { type Alias, formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { ImportResult, Registry } from '@model-rtc/registry';
import { type ArgumentSpecs, defineCommand, type ValuesOf } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, formatModel, formatSome, printable } from '../../console/format.ts';
import { incompleteNote } from '../incomplete.ts';
import { aliasConflictOption, safeOnlyOption, yesOption } from '../options.ts';
import { askOnAliasConflict, askOnDuplicate } from './conflicts.ts';

/** Left-out files that are listed; a folder of logs can hold thousands. */
const MAX_SKIPPED_SHOWN = 8;

const importOptions = {
  ...aliasConflictOption,
  ...safeOnlyOption,
  alias: { type: 'string', describe: "Its alias [the folder's name is offered]" },
  'model-type': { type: 'string', describe: 'Its type, instead of the one found in its files' },
  'if-exists': {
    choices: ['skip', 'overwrite', 'rename'],
    describe: 'If it is here under another alias: leave it, import it again, or only change its alias [asked]',
  },
  name: { type: 'string', nargs: 1, describe: 'Its full name, for people' },
  tag: { type: 'string', array: true, nargs: 1, describe: 'A tag; may be given several times' },
  notes: { type: 'string', nargs: 1, describe: 'Notes about it' },
  parent: {
    type: 'string',
    nargs: 1,
    describe: 'The model on this machine that it was fine-tuned from',
    completes: 'models',
  },
  copy: { type: 'boolean', default: false, describe: 'Copy the files instead of linking to them' },
  'with-training-state': {
    type: 'boolean',
    default: false,
    describe: 'Keep optimizer states and validation results, which are left out otherwise',
  },
  'as-one': { type: 'boolean', default: false, describe: 'Take a folder that holds several models as one' },
  'allow-incomplete': {
    type: 'boolean',
    default: false,
    describe: 'Register it even if files are missing or cut off, and mark it so',
  },
  yes: { ...yesOption.yes, describe: 'Ask nothing; use the defaults' },
} as const satisfies ArgumentSpecs;
type ImportOptions = ValuesOf<typeof importOptions> & { readonly path: string };

export const importModel = defineCommand({
  usage: 'import-model <path>',
  describe: 'Register a model that is on this disk',
  positionals: {
    path: {
      type: 'string',
      demandOption: true,
      describe: "The model's folder, its weights file, or an archive that export-model wrote",
      completes: 'files',
    },
  },
  options: importOptions,
  examples: [
    ['$0 client import-model ./runs/mouse --alias good-mouse-v1', 'link a sleap-nn run into the registry'],
    ['$0 client import-model weights.safetensors --copy', 'copy a single file'],
    ['$0 client import-model ./runs/tuned --parent good-mouse-v1 --tag lab --tag mouse', 'with its lineage'],
    ['$0 client import-model /media/usb/mouse.tar', 'an archive that export-model wrote'],
  ],
  async run(context, options) {
    const registry = await context.registry();
    const asked = options.yes ? { ...context, interactive: false } : context;
    const imported = await askOnDuplicate(asked, options.ifExists, (ifExists) =>
      askOnAliasConflict(asked, options.aliasConflict, (aliasConflict) =>
        bringIn(context, registry, { ...options, ifExists, aliasConflict }),
      ),
    );
    const entry = await nameIt(asked, registry, imported, options);
    const { outcome, manifest, skipped, movedTo } = imported;
    if (movedTo !== undefined) context.output.note(`The model is in ${printable(movedTo)}.`);
    reportSkipped(context, skipped);
    if (entry.incomplete !== undefined) context.output.note(incompleteNote(entry));
    const what = `${entry.modelType}, ${formatCount(manifest.files.length, 'file')}, ${formatBytes(entry.size)}`;
    const how =
      outcome === 'already_there' ? 'Already here as' : entry.linked ? 'Imported (linked)' : 'Imported (copied)';
    context.output.result({ outcome, entry, skipped }, `${how} ${formatModel(entry)}: ${what}`);
  },
});

async function bringIn(context: Context, registry: Registry, options: ImportOptions): Promise<ImportResult> {
  const { path, tag: tags, modelType, copy, name, notes, parent, ifExists, aliasConflict, safeOnly } = options;
  const { allowIncomplete, withTrainingState, asOne } = options;
  const { parseAlias } = await import('@model-rtc/protocol');
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const onProgress = await context.output.progress();
  const bring = (await registry.isArchive(path)) ? registry.importArchive : registry.importModel;
  return await bring(path, {
    ...{ alias, aliasConflict, ifExists, name, tags, notes, parent, safeOnly, modelType, copy },
    ...{ allowIncomplete, withTrainingState, asOne },
    signal: context.signal,
    onProgress: (progress) => onProgress({ type: 'local', ...progress }),
  });
}

/** Offers a model without an alias its folder's name. A person may choose another; a script gets it as it is. */
async function nameIt(
  context: Context,
  registry: Registry,
  { entry, suggestedAlias, outcome }: ImportResult,
  { alias: wanted, ifExists, aliasConflict }: ImportOptions,
): Promise<ImportResult['entry']> {
  const isLeft = outcome === 'already_there' && ifExists === 'skip';
  // A model that lost a conflict over its alias has none on purpose.
  if (entry.alias !== undefined || suggestedAlias === undefined || isLeft || wanted !== undefined) return entry;
  if (!context.interactive) return await registry.tag(entry.id, suggestedAlias, { aliasConflict: 'rename' });
  context.output.clearProgress();
  const alias = await askAlias(suggestedAlias);
  if (alias === undefined) return entry;
  return await askOnAliasConflict(context, aliasConflict, (conflict) =>
    registry.tag(entry.id, alias, { aliasConflict: conflict }),
  );
}

async function askAlias(suggestion: Alias): Promise<Alias | undefined> {
  const { text, isCancel } = await import('@clack/prompts');
  const { aliasProblem, parseAlias } = await import('@model-rtc/protocol');
  const answer = await text({
    message: 'Alias (empty for none)?',
    initialValue: suggestion,
    validate: (value) => (value === undefined || value === '' ? undefined : aliasProblem(value)),
    output: process.stderr,
  });
  if (isCancel(answer))
    throw new ModelRtcError(
      'cancelled',
      'Cancelled; the model is registered without an alias. Give it one: model-rtc client tag-model.',
    );
  return answer === undefined || answer === '' ? undefined : parseAlias(answer);
}

function reportSkipped({ output }: Context, skipped: ImportResult['skipped']): void {
  if (skipped.length === 0) return;
  const names = skipped.map(({ path, reason, bytes }) => {
    const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`;
    return `${printable(path)} (${reason}${size})`;
  });
  output.note(`Left out: ${formatSome(names, MAX_SKIPPED_SHOWN)}`);
}
