import { basename } from 'node:path';
import { type Alias, formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { ImportResult, Registry, RegistryEntry } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { formatCount, formatModel } from '../../../console/format.ts';
import { importRoom } from '../../../console/storage-cap.ts';
import { refuseGiven } from '../../refuse-given.ts';
import { askAliasConflict, askOnDuplicate } from '../conflicts.ts';
import { fileOptions, type ImportOptions } from './options.ts';

/** A model that is in the registry now, with the name that it got. */
export interface BroughtIn extends ImportResult {
  readonly entry: RegistryEntry;
}

/** Imports the one model at a path, and asks what has to be asked. */
export async function bringIn(context: Context, registry: Registry, options: ImportOptions): Promise<BroughtIn> {
  const imported = await askOnDuplicate(context, options.ifExists, (ifExists) =>
    importAt(context, registry, { ...options, ifExists }).catch(async (error: unknown) => {
      const aliasConflict = await askAliasConflict(context, options.aliasConflict, error);
      return await importAt(context, registry, { ...options, ifExists, aliasConflict });
    }),
  );
  return { ...imported, entry: await nameIt(context, registry, imported, options) };
}

async function importAt(context: Context, registry: Registry, options: ImportOptions): Promise<ImportResult> {
  const { path, tag: tags, modelType, copy, name, notes, parent, ifExists, aliasConflict, safeOnly } = options;
  const { allowIncomplete, revision, convert } = options;
  const { parseAlias } = await import('@model-rtc/protocol');
  const alias = options.alias === undefined ? undefined : parseAlias(options.alias);
  const onProgress = await context.output.progress();
  const isArchive = !options.asIs && (await registry.isArchive(path));
  if (isArchive) requireNoChoice(options);
  const makeRoom = await importRoom(context, registry, options.alias ?? options.name ?? basename(path));
  const bring = isArchive ? registry.importArchive : registry.importModel;
  return await bring(path, {
    ...{ alias, aliasConflict, ifExists, name, tags, notes, parent, safeOnly, modelType, copy },
    ...{ ...fileOptions(options), allowIncomplete, revision, convert, makeRoom },
    signal: context.signal,
    onProgress: (progress) => onProgress({ type: 'local', ...progress }),
  });
}

function requireNoChoice(options: ImportOptions): void {
  const sentence = (option: string) =>
    `An archive is imported whole, so ${option} says nothing about it. Leave it out, or unpack the archive with tar and import the folder.`;
  refuseGiven(options, ['include', 'exclude', 'followLinks', 'revision', 'convert'], sentence);
}

/**
 * Offers a model without an alias the one made from its path. A person may choose another; a script gets it, or a free one like it
 * where that is taken.
 */
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
  const alias = await askAlias(context, suggestedAlias);
  if (alias === undefined) return entry;
  return await registry.tag(entry.id, alias, { aliasConflict }).catch(async (error: unknown) => {
    const answer = await askAliasConflict(context, aliasConflict, error);
    return await registry.tag(entry.id, alias, { aliasConflict: answer });
  });
}

async function askAlias(context: Context, suggestion: Alias): Promise<Alias | undefined> {
  const { text, isCancel } = await context.prompts();
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

/** `Imported (linked) mouse (1a2b3c4d): llama, 3 files, 2.1 GB`. */
export function importedText({ outcome, entry, manifest, converted = [] }: BroughtIn): string {
  const what = `${entry.modelType}, ${formatCount(manifest.files.length, 'file')}, ${formatBytes(entry.size)}`;
  const how = converted.length > 0 ? 'converted' : entry.linked ? 'linked' : 'copied';
  const imported = `Imported (${how})`;
  return `${outcome === 'already_there' ? 'Already here as' : imported} ${formatModel(entry)}: ${what}`;
}

/** The length of an id that no other model's begins like. */
const ID_CHARS = 8;

/** What came out otherwise than a person asked or would expect, one sentence each. */
export function surprises(
  {
    entry,
    outcome,
    suggestedAlias,
  }: Pick<BroughtIn, 'outcome' | 'suggestedAlias'> & {
    readonly entry: Pick<RegistryEntry, 'id' | 'alias' | 'modelType' | 'digest'>;
  },
  { alias, modelType }: Pick<ImportOptions, 'alias' | 'modelType'>,
): string[] {
  const wanted = alias ?? (outcome === 'already_there' ? undefined : suggestedAlias);
  const isOther = wanted !== undefined && wanted !== entry.alias;
  return [
    ...(isOther && entry.alias !== undefined && outcome !== 'already_there'
      ? [`The alias "${wanted}" is taken, so this model is "${entry.alias}".`]
      : []),
    ...(isOther && outcome === 'already_there'
      ? [
          `It is left as it is, without the alias "${wanted}". Give it one: model-rtc client tag-model ${entry.id} ${wanted}`,
        ]
      : []),
    ...(outcome === 'already_there' && modelType !== undefined && modelType !== entry.modelType
      ? [
          `It is here already as type ${entry.modelType}, and --model-type changes nothing. Import it again with --if-exists overwrite.`,
        ]
      : []),
    ...(entry.digest !== undefined && entry.id.length > ID_CHARS
      ? [`Its id has ${entry.id.length} characters, since another model's begins with the same ${ID_CHARS}.`]
      : []),
  ];
}
