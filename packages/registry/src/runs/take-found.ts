import { ModelRtcError } from '@model-rtc/protocol';
import { type ImportWork, importModel } from '../import-model.ts';
import type { StoredEntry } from '../index-schema.ts';
import { isWhole } from '../place-model.ts';
import type { RegistryContext } from '../registry-context.ts';
import { toRegistryEntry } from '../registry-entry.ts';
import type { ImportResult } from '../registry-types.ts';
import { tagModel } from '../tag.ts';
import { entriesAt } from './found-entries.ts';
import type { FoundPlace, TakeOptions } from './runs.ts';

/** Others may take the suggested alias before it is ours; each time there is another one. */
const NAMING_ATTEMPTS = 5;

/** Imports a found model by links, in place of what was found there before. */
export async function takeFound(
  context: RegistryContext,
  place: FoundPlace,
  options: TakeOptions,
): Promise<ImportResult> {
  const index = await context.index.read();
  const before = earlier(entriesAt(index, place.path), entriesAt(index, options.inPlaceOf ?? place.path));
  const unchanged = before === undefined ? undefined : await asItWas(context, before, place);
  if (unchanged !== undefined) return unchanged;
  const { foundIn, source, signal, onProgress } = options;
  const result = await importModel(context, place.path, {
    signal,
    onProgress,
    name: options.name,
    found: { foundIn, source },
    supersedes: before === undefined ? undefined : carriedOver(before),
  });
  // One that was here already and has no alias had it taken away by a person.
  if (result.suggestedAlias === undefined || result.outcome === 'already_there' || before !== undefined) return result;
  return await nameModel(context, result);
}

/**
 * What was found at the path, a run before others, comes before what it comes in the place of. A person's own import is
 * not replaced.
 */
function earlier(here: readonly StoredEntry[], there: readonly StoredEntry[]): StoredEntry | undefined {
  return [...here, ...there].find(({ digest, foundIn }) => digest === undefined || foundIn !== undefined);
}

/** What is registered of a place whose files are the same ones; nothing is hashed or written for it. */
async function asItWas(
  context: RegistryContext,
  before: StoredEntry,
  { path }: FoundPlace,
): Promise<ImportResult | undefined> {
  if (before.digest === undefined || before.originalPath !== path || !(await isWhole(context, before)))
    return undefined;
  const { scanModel } = await context.loadImportSteps();
  const { files, skipped } = await scanModel(path);
  const manifest = await context.readManifest(before);
  const sizes = new Map<string, number>(manifest.files.map((file) => [file.path, file.size]));
  if (files.length !== sizes.size || files.some((file) => sizes.get(file.path) !== file.size)) return undefined;
  const entry = await toRegistryEntry(before, context.paths.models);
  return { entry, manifest, outcome: 'already_there', skipped };
}

/** What a person may have said of it meanwhile. */
function carriedOver({ digest, name, tags, notes }: StoredEntry): NonNullable<ImportWork['supersedes']> {
  return { digest, name, tags, notes };
}

async function nameModel(context: RegistryContext, result: ImportResult): Promise<ImportResult> {
  let alias = result.suggestedAlias;
  for (let attempt = 0; alias !== undefined && attempt < NAMING_ATTEMPTS; attempt++) {
    try {
      const stored = await tagModel(context, result.entry.id, alias, false);
      return { ...result, entry: await toRegistryEntry(stored, context.paths.models), suggestedAlias: undefined };
    } catch (thrown) {
      const { code, details } = ModelRtcError.from(thrown);
      if (code !== 'alias_taken') throw thrown;
      const suggestions = Array.isArray(details?.suggestions) ? (details.suggestions as (typeof alias)[]) : [];
      alias = suggestions[0];
    }
  }
  return result;
}
