import { isAbsolute, sep } from 'node:path';
import type { Alias, Digest } from '@model-rtc/protocol';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';

/** A longer chain is a mistake, and nobody would read it. */
const MAX_CHAIN = 100;

/** A parent of a model, under the name that the model has for it. */
export interface StoredLink {
  readonly name: string;
  /** Undefined when this machine does not have it. */
  readonly stored: StoredEntry | undefined;
}

/** Which model was made from which, according to the models of one index. */
export interface LineageIndex {
  /** The direct parents of a model; a merge has several. */
  parentsOf(stored: StoredEntry): StoredLink[];
  /** From parent to parent, nearest first, up to the first that is not here. */
  chainOf(stored: StoredEntry): StoredLink[];
  childrenOf(stored: StoredEntry): StoredEntry[];
}

export function createLineageIndex(index: RegistryIndex): LineageIndex {
  const find = createFinder(index);
  let children: Map<StoredEntry, StoredEntry[]> | undefined;

  const parentsOf = (stored: StoredEntry): StoredLink[] => {
    const links = parentNames(stored).map((name) => ({ name, stored: find(name) }));
    // A model that names itself, such as a run resumed in its own folder, is not its own parent.
    return links.filter((link) => link.stored !== stored);
  };

  const chainOf = (stored: StoredEntry): StoredLink[] => {
    const seen = new Set([stored]);
    const chain: StoredLink[] = [];
    for (let at: StoredEntry | undefined = stored; at !== undefined && chain.length < MAX_CHAIN; ) {
      const [nearest] = parentsOf(at);
      if (nearest === undefined || (nearest.stored !== undefined && seen.has(nearest.stored))) break;
      chain.push(nearest);
      at = nearest.stored;
      if (at !== undefined) seen.add(at);
    }
    return chain;
  };

  const childrenOf = (stored: StoredEntry): StoredEntry[] => {
    children ??= groupByParent(index, parentsOf);
    return children.get(stored) ?? [];
  };

  return { parentsOf, chainOf, childrenOf };
}

/** `parents` name a model more exactly than the name it was fine-tuned under. */
function parentNames({ lineage }: StoredEntry): readonly string[] {
  const { parents = [], fineTunedFrom } = lineage ?? {};
  if (parents.length > 0) return [...new Set(parents)];
  return fineTunedFrom === undefined ? [] : [fineTunedFrom];
}

function groupByParent(
  index: RegistryIndex,
  parentsOf: (stored: StoredEntry) => StoredLink[],
): Map<StoredEntry, StoredEntry[]> {
  const children = new Map<StoredEntry, StoredEntry[]>();
  for (const child of index.byId.values()) {
    for (const parent of new Set(parentsOf(child).map(({ stored }) => stored))) {
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), child]);
    }
  }
  return children;
}

/** Finds the parent that a model names: by digest, id, alias, full name, repository on a hub, or path. */
function createFinder(index: RegistryIndex): (name: string) => StoredEntry | undefined {
  const byName = new Map<string, StoredEntry>();
  const byOriginal = new Map<string, StoredEntry>();
  const byRepository = new Map<string, StoredEntry>();
  for (const stored of index.byId.values()) {
    if (stored.name !== undefined) byName.set(stored.name, stored);
    if (stored.originalPath !== undefined) byOriginal.set(stored.originalPath, stored);
    if (stored.hub !== undefined) byRepository.set(stored.hub.repo, newer(byRepository.get(stored.hub.repo), stored));
  }
  return (name) =>
    index.byDigest.get(name as Digest) ??
    index.byId.get(name) ??
    index.byAlias.get(name as Alias) ??
    byName.get(name) ??
    byRepository.get(name) ??
    (isAbsolute(name) ? atOrAbove(byOriginal, name) : undefined);
}

/** Of the versions of a repository that are here, the one that came last. */
function newer(known: StoredEntry | undefined, stored: StoredEntry): StoredEntry {
  return known !== undefined && (known.downloadedAt ?? '') > (stored.downloadedAt ?? '') ? known : stored;
}

/** Tools note the path of the checkpoint they started from, which lies in the imported folder. */
function atOrAbove(byOriginal: ReadonlyMap<string, StoredEntry>, path: string): StoredEntry | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf(sep)))) {
    const found = byOriginal.get(at);
    if (found !== undefined) return found;
  }
  return undefined;
}
