import { type Alias, aliasSchema, type Digest, ModelRtcError, modelEntrySchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { isSettledEntry } from './entry-check.ts';

/** The version of registry.json that this code writes. */
export const INDEX_VERSION = 2;

/** One name, so that a folder never lies outside `models/`. */
export const folderNameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}_[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/** A time during which a model had an alias that it has no more. */
export const formerAliasSchema = z.object({
  alias: aliasSchema,
  /** Not known of models that were named before version 2. */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime(),
});
export type FormerAlias = z.infer<typeof formerAliasSchema>;

/** Names remembered for one model; the oldest goes first. */
export const MAX_FORMER_ALIASES = 64;

/** An entry as it is stored: what agents tell each other, and what only this machine knows. */
export const storedEntrySchema = modelEntrySchema.omit({ displayStatus: true, partialBytes: true }).extend({
  folder: folderNameSchema,
  linked: z.boolean(),
  originalPath: z.string().min(1).max(4096).optional(),
  /** When the model got the alias that it has. */
  aliasSince: z.iso.datetime().optional(),
  formerAliases: z.array(formerAliasSchema).max(MAX_FORMER_ALIASES).default([]),
  /** The watched or read-only folder in which a worker found it, absolute. */
  foundIn: z.string().min(1).max(4096).optional(),
  /** For an interrupted run: the command that goes on with it, to be run in its folder. */
  resumeCommand: z.string().min(1).max(4096).optional(),
});
export type StoredEntry = z.infer<typeof storedEntrySchema>;

/**
 * The parts of the file that count. `aliases`, and `interrupted` (ids of the runs that can go on), are there for people and
 * scripts to read: each entry's own alias and status count. Entries are parsed one by one, which takes half the time.
 */
const indexFileSchema = z.object({
  version: z.literal(INDEX_VERSION),
  models: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

/** The models of this machine, by all that names them. Never changed: each change makes a new one. */
export interface RegistryIndex {
  readonly byId: ReadonlyMap<string, StoredEntry>;
  readonly byDigest: ReadonlyMap<Digest, StoredEntry>;
  readonly byAlias: ReadonlyMap<Alias, StoredEntry>;
  readonly byFolder: ReadonlyMap<string, StoredEntry>;
  readonly interrupted: readonly string[];
}

/** What is done to an index: entries taken out by id first, then entries put in or replaced. */
export interface IndexChange {
  readonly remove?: readonly string[] | undefined;
  readonly put?: readonly StoredEntry[] | undefined;
}

export const EMPTY_INDEX: RegistryIndex = makeIndex([]);

/** @throws Error when two entries have an id, digest, alias or folder in common */
export function makeIndex(entries: Iterable<StoredEntry>): RegistryIndex {
  const byId = new Map<string, StoredEntry>();
  const byDigest = new Map<Digest, StoredEntry>();
  const byAlias = new Map<Alias, StoredEntry>();
  const byFolder = new Map<string, StoredEntry>();
  for (const entry of entries) {
    addOnce(byId, entry.id, entry, 'id');
    addOnce(byFolder, entry.folder, entry, 'folder');
    if (entry.digest !== undefined) addOnce(byDigest, entry.digest, entry, 'digest');
    if (entry.alias !== undefined) addOnce(byAlias, entry.alias, entry, 'alias');
  }
  const interrupted = [...byId.values()].filter(isInterruptedRun).map(({ id }) => id);
  return { byId, byDigest, byAlias, byFolder, interrupted };
}

function isInterruptedRun({ digest, status }: StoredEntry): boolean {
  return digest === undefined && status === 'interrupted';
}

function addOnce<K extends string>(map: Map<K, StoredEntry>, key: K, entry: StoredEntry, what: string): void {
  const before = map.size;
  map.set(key, entry);
  if (map.size === before) throw new Error(`two models have the ${what} ${JSON.stringify(key)}`);
}

export function changeIndex(index: RegistryIndex, { remove = [], put = [] }: IndexChange): RegistryIndex {
  if (remove.length === 0 && put.length === 0) return index;
  const entries = new Map(index.byId);
  for (const id of remove) entries.delete(id);
  for (const entry of put) entries.set(entry.id, entry);
  return makeIndex(entries.values());
}

/** The index as its file's text, for a person to read too. */
export function encodeIndex(index: RegistryIndex): string {
  const file = {
    version: INDEX_VERSION,
    models: Object.fromEntries(index.byId),
    aliases: Object.fromEntries([...index.byAlias].map(([alias, entry]) => [alias, entry.id])),
    interrupted: index.interrupted,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Turns the content of a file of one version into that of the next. */
export type Migration = (file: Record<string, unknown>) => Record<string, unknown>;

/** By the version that each starts from. Version 1 is the first that was ever written. */
export const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([
  // Version 2 remembers former aliases: of a model of version 1 none is known, which is what their absence says. Where models
  // were seen is in the workers' catalogs since then; what version 1 noted of it is not read.
  [1, (file) => file],
]);

export interface DecodedIndex {
  readonly index: RegistryIndex;
  /** The version of the file when it is an older one. */
  readonly migratedFrom?: number | undefined;
}

/**
 * @param path named in errors
 * @throws ModelRtcError `refused` when a newer version wrote it; any other error when it is damaged
 */
export function decodeIndex(text: string, path: string, migrations = MIGRATIONS): DecodedIndex {
  const raw: unknown = JSON.parse(text);
  const { version } = z.looseObject({ version: z.number().int().min(0) }).parse(raw);
  if (version > INDEX_VERSION) throw newerVersion(path, version);
  let file = raw as Record<string, unknown>;
  for (let from = version; from < INDEX_VERSION; from++) {
    const migrate = migrations.get(from);
    if (migrate === undefined) throw new Error(`no version ${from} of this file is known`);
    file = { ...migrate(file), version: from + 1 };
  }
  const { models } = indexFileSchema.parse(file);
  const entries = Object.entries(models).map(([id, value]) => {
    const entry = isSettledEntry(value) ? value : storedEntrySchema.parse(value);
    if (entry.id !== id) throw new Error(`the entry ${JSON.stringify(id)} says that it is ${JSON.stringify(entry.id)}`);
    return entry;
  });
  const index = makeIndex(entries);
  return version === INDEX_VERSION ? { index } : { index, migratedFrom: version };
}

function newerVersion(path: string, version: number): ModelRtcError {
  const sentence = `${path} was written by a newer model-rtc (its version is ${version}, this one reads up to ${INDEX_VERSION}). Upgrade model-rtc; nothing was changed.`;
  return new ModelRtcError('refused', sentence, { details: { path, version } });
}
