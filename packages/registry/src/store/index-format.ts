import * as z from 'zod';
import { makeIndex } from '../entry/registry-index.ts';
import { type RegistryIndex, storedEntrySchema } from '../entry/types.ts';
import { isStoredEntry } from './entry-check.ts';
import { type Migration, migratedFile } from './versioned-file.ts';

/** The version of registry.json that this code writes. */
export const INDEX_VERSION = 2;

/**
 * The parts of the file that count. `aliases` and `interrupted` (ids of the runs that can resume) are for people and
 * scripts; each entry's own alias and status decide. Entries are parsed one by one, which takes half the time.
 */
const indexFileSchema = z.object({
  version: z.literal(INDEX_VERSION),
  models: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

/** The index as its file's text, which a person can read too. */
export function encodeIndex(index: RegistryIndex): string {
  const file = {
    version: INDEX_VERSION,
    models: Object.fromEntries(index.byId),
    aliases: Object.fromEntries([...index.byAlias].map(([alias, entry]) => [alias, entry.id])),
    interrupted: index.interrupted,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** By the version that each starts from. Version 1 was the first. */
export const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([
  // Version 2 remembers former aliases: of a model of version 1 none is known, which is what their absence says. Where models
  // were seen is in files of the workers since then; what version 1 noted of it is not read.
  [1, (file) => file],
]);

export interface DecodedIndex {
  readonly index: RegistryIndex;
  /** The version of an older file. */
  readonly migratedFrom?: number | undefined;
}

/**
 * @param path named in errors
 * @throws ModelRtcError `refused` when a newer version wrote it; any other error when it is damaged
 */
export function decodeIndex(text: string, path: string, migrations = MIGRATIONS): DecodedIndex {
  const { file, version } = migratedFile(text, path, INDEX_VERSION, migrations);
  const { models } = indexFileSchema.parse(file);
  const entries = Object.entries(models).map(([id, value]) => {
    const entry = isStoredEntry(value) ? value : storedEntrySchema.parse(value);
    if (entry.id !== id) throw new Error(`the entry ${JSON.stringify(id)} says that it is ${JSON.stringify(entry.id)}`);
    return entry;
  });
  const index = makeIndex(entries);
  return version === INDEX_VERSION ? { index } : { index, migratedFrom: version };
}
