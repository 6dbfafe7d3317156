import type { RegistryIndex, StoredEntry } from './index-schema.ts';

/** The entry of the run that trains in a folder. */
export function runAt(index: RegistryIndex, path: string | undefined): StoredEntry | undefined {
  if (path === undefined) return undefined;
  return entriesAt(index, path).find(({ digest }) => digest === undefined);
}

/** The entries of what lies at a path, a run's before others. */
export function entriesAt(index: RegistryIndex, path: string): StoredEntry[] {
  const found = [...index.byId.values()].filter(({ originalPath }) => originalPath === path);
  return found.sort((a, b) => Number(a.digest !== undefined) - Number(b.digest !== undefined));
}
