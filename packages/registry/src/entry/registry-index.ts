import { type Alias, type Digest, ID_LENGTH } from '@model-rtc/protocol';
import type { IndexChange, RegistryIndex, StoredEntry } from './types.ts';

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

const ID_STEP = 4;

/** The start of a digest, as an id that no other model has: 8 characters, more if another model has those. */
export function freeId(index: RegistryIndex, digest: string, isTaken: (id: string) => boolean = () => false): string {
  for (let length = ID_LENGTH; length < digest.length; length += ID_STEP) {
    const id = digest.slice(0, length);
    const holder = index.byId.get(id);
    if ((holder === undefined || holder.digest === digest) && !isTaken(id)) return id;
  }
  return digest;
}

/** The entry of the run that trains in a folder. */
export function runAt(index: RegistryIndex, path: string | undefined): StoredEntry | undefined {
  if (path === undefined) return undefined;
  return entriesAt(index, path).find(({ digest }) => digest === undefined);
}

/** The entries of models and runs at a path, runs first. */
export function entriesAt(index: RegistryIndex, path: string): StoredEntry[] {
  const found = [...index.byId.values()].filter(({ originalPath }) => originalPath === path);
  return found.sort((a, b) => Number(a.digest !== undefined) - Number(b.digest !== undefined));
}
