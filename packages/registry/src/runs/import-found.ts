import { type ManifestFile, manifestTime } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { entriesAt } from '../entry/registry-index.ts';
import type { StoredEntry } from '../entry/types.ts';
import { isWhole } from '../files/registered-model.ts';
import { importModel } from '../import/import-model.ts';
import type { ImportWork } from '../import/place-imported.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { ImportResult } from '../import/types.ts';
import type { FoundPlace, TakeOptions } from './types.ts';

/** Imports a found model by links, in place of the one found there before. */
export async function takeFound(
  context: RegistryContext,
  place: FoundPlace,
  options: TakeOptions,
): Promise<ImportResult> {
  const index = await context.index.read();
  const before = earlier(entriesAt(index, place.path), entriesAt(index, options.inPlaceOf ?? place.path));
  const linksWithin = [options.foundIn, ...(options.linksWithin ?? [])];
  const unchanged = before === undefined ? undefined : await asItWas(context, before, place, linksWithin);
  if (unchanged !== undefined) return unchanged;
  const { foundIn, source, signal, onProgress, withoutLinks } = options;
  const isOwn = before?.digest !== undefined && before.foundIn === undefined;
  return await importModel(context, place.path, {
    signal,
    onProgress,
    withoutLinks,
    name: options.name,
    ...(isOwn ? before.importedWith : {}),
    // A model that a person imported stays theirs, and is not forgotten when its files are gone.
    found: isOwn ? undefined : { foundIn, source, linksWithin },
    supersedes: before === undefined ? undefined : carriedOver(before),
  });
}

/** The entry that links to the same place, a run first, or else the one that the place replaces. */
function earlier(here: readonly StoredEntry[], there: readonly StoredEntry[]): StoredEntry | undefined {
  return here.find(({ linked }) => linked) ?? there.find(({ foundIn }) => foundIn !== undefined);
}

/** The registered model of a place whose files are unchanged; hashes and writes nothing. */
async function asItWas(
  context: RegistryContext,
  before: StoredEntry,
  { path }: FoundPlace,
  linksWithin: readonly string[],
): Promise<ImportResult | undefined> {
  if (before.digest === undefined || before.originalPath !== path || !(await isWhole(context, before)))
    return undefined;
  const { scanModel } = await context.loadImportSteps();
  const { files, skipped } = await scanModel(path, { ...before.importedWith, linksWithin, isExact: true });
  const manifest = await context.readManifest(before);
  const known = new Map<string, ManifestFile>(manifest.files.map((file) => [file.path, file]));
  if (files.length !== known.size || files.some((file) => !isAsKnown(file, known.get(file.path), before.linked))) {
    return undefined;
  }
  const entry = await context.show(before);
  return { entry, manifest, outcome: 'already_there', skipped };
}

/** Links were looked at through their model; of a copy, only the time tells whether its original is still the same. */
function isAsKnown({ size, mtimeNs }: ScannedFile, known: ManifestFile | undefined, isLinked: boolean): boolean {
  if (known?.size !== size) return false;
  return isLinked || known.mtimeMs === undefined || known.mtimeMs === manifestTime(mtimeNs);
}

/** What a person may have added to it meanwhile. */
function carriedOver({ digest, name, tags, notes }: StoredEntry): NonNullable<ImportWork['supersedes']> {
  return { digest, name, tags, notes };
}
