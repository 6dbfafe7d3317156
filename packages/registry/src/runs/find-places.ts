import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { atStorage, isInside } from '@model-rtc/files';
import { isWeightsFile, skipReason } from '@model-rtc/formats';
import { findSnapshots, isHubRepository } from './hub-cache.ts';
import { parseShard } from './look-at-place.ts';
import type { FoundPlace, FoundPlaces } from './types.ts';

/** Deeper than anyone nests models. A cycle of links ends there too. */
const MAX_DEPTH = 12;
/** Folders searched: a person may watch a whole disk by mistake. */
const MAX_FOLDERS = 50_000;
/** Weights of a pipeline or an export lie at most this deep below the configuration that makes them one model. */
const WEIGHTS_DEPTH = 2;

const RUN_CONFIG = /^(training|initial)_config\.(ya?ml|json)$/;
const HUB_CONFIG = new Set(['config.json', 'model_index.json', 'adapter_config.json']);
/** Checkpoints that a trainer can resume from, each as large as the model. They are parts of a training, not models. */
const TRAINER_CHECKPOINT = /^checkpoint-\d+$/;
/** Other things in a hub's cache. */
const OTHER_REPOSITORY = /^(datasets|spaces)--/;

interface Search {
  readonly places: FoundPlace[];
  readonly folders: string[];
  readonly unreadable: string[];
  readonly outside: string[];
  /** Without links. */
  readonly top: string;
  /** Real paths, since a link may lead to a folder that was searched already. */
  readonly met: Set<string>;
  /** Folders to skip: the registry's own. */
  readonly except: ReadonlySet<string>;
}

interface Folder {
  readonly path: string;
  readonly depth: number;
}

/**
 * Searches a folder for training runs, folders of weights, single weights files and a hub's cache.
 * @param except folders to skip
 */
export async function findPlaces(root: string, except: readonly string[]): Promise<FoundPlaces> {
  const top = await atStorage(root, 'read', () => realpath(root));
  const real = await Promise.all(except.map((path) => realpath(path).catch(() => path)));
  const lists = { places: [], folders: [], unreadable: [], outside: [] };
  const search: Search = { ...lists, top, met: new Set(), except: new Set(real) };
  const open: Folder[] = [{ path: top, depth: 0 }];
  const { dev, ino } = await atStorage(root, 'read', () => stat(top));
  const isEmpty = (await atStorage(root, 'read', () => readdir(top))).length === 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    if (search.folders.length >= MAX_FOLDERS) search.unreadable.push(folder.path);
    else open.push(...(await lookInto(folder, search)));
  }
  const { places, folders, unreadable, outside } = search;
  places.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { root: top, identity: `${dev}:${ino}`, isEmpty, places, folders, unreadable, outside };
}

/** Adds the folder itself or the places in it. Resolves to the folders to search next. */
async function lookInto({ path, depth }: Folder, search: Search): Promise<Folder[]> {
  if (search.met.has(path) || search.except.has(path)) return [];
  search.met.add(path);
  const items = await readFolder(path, search);
  if (items === undefined) return [];
  if (isHubRepository(basename(path), items)) {
    search.folders.push(join(path, 'refs'), join(path, 'snapshots'));
    search.places.push(...(await findSnapshots(path)));
    return [];
  }
  const files = items.filter(({ isFolder, name }) => !isFolder && skipReason(name, 'file') === undefined);
  const folders = items.filter(({ isFolder, name }) => isFolder && skipReason(name, 'folder') === undefined);
  const kind = await placeKind(path, files, folders, depth === 0);
  if (kind !== undefined) {
    search.places.push({ kind, path });
    return [];
  }
  search.places.push(...(await singleFiles(path, files, search)));
  if (depth >= MAX_DEPTH) return [];
  const below = folders.filter(({ name }) => !TRAINER_CHECKPOINT.test(name) && !OTHER_REPOSITORY.test(name));
  const real = await Promise.all(below.map((item) => realPathOf(join(path, item.name), item, search)));
  return real.filter((child) => child !== undefined).map((child) => ({ path: child, depth: depth + 1 }));
}

interface Item {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

/** Undefined for a folder that cannot be read, which is noted. */
async function readFolder(path: string, search: Search): Promise<Item[] | undefined> {
  search.folders.push(path);
  try {
    return await itemsOf(path);
  } catch {
    search.unreadable.push(path);
    return undefined;
  }
}

async function itemsOf(path: string): Promise<Item[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const items = await Promise.all(entries.map((entry) => toItem(path, entry)));
  return items.filter((item) => item !== undefined);
}

/** A link counts as its target. A broken link, a pipe or a device counts as nothing. */
async function toItem(folder: string, entry: Dirent): Promise<Item | undefined> {
  const { name } = entry;
  if (entry.isDirectory()) return { name, isFolder: true, isLink: false };
  if (entry.isFile()) return { name, isFolder: false, isLink: false };
  if (!entry.isSymbolicLink()) return undefined;
  const stats = await stat(join(folder, name)).catch(() => undefined);
  if (stats === undefined || (!stats.isDirectory() && !stats.isFile())) return undefined;
  return { name, isFolder: stats.isDirectory(), isLink: true };
}

/** Undefined for a link that leads out of the folder, which is noted, and for a broken link. */
async function realPathOf(path: string, { isLink }: Item, { top, outside }: Search): Promise<string | undefined> {
  if (!isLink) return path;
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || isInside(real, top)) return real;
  outside.push(path);
  return undefined;
}

/**
 * What the folder is as a whole; undefined when only files in it can be models.
 * @param isTop whether it is the watched folder itself: people put single models into it, side by side
 */
async function placeKind(
  path: string,
  files: readonly Item[],
  folders: readonly Item[],
  isTop: boolean,
): Promise<'run' | 'folder' | undefined> {
  if (files.some(({ name }) => RUN_CONFIG.test(name))) return 'run';
  const weights = files.filter(({ name }) => isWeightsFile(name)).map(({ name }) => name);
  if (files.some(({ name }) => HUB_CONFIG.has(name))) {
    return weights.length > 0 || (await holdWeights(path, folders, WEIGHTS_DEPTH)) ? 'folder' : undefined;
  }
  if (weights.length === 0 || isTop) return isOneSharded(weights) ? 'folder' : undefined;
  return weights.length === 1 || isOneSharded(weights) ? 'folder' : undefined;
}

async function holdWeights(path: string, folders: readonly Item[], depth: number): Promise<boolean> {
  for (const { name } of folders) {
    if (TRAINER_CHECKPOINT.test(name)) continue;
    const items = await itemsOf(join(path, name)).catch(() => []);
    if (items.some((item) => !item.isFolder && isWeightsFile(item.name))) return true;
    const below = items.filter((item) => item.isFolder);
    if (depth > 1 && (await holdWeights(join(path, name), below, depth - 1))) return true;
  }
  return false;
}

/** Whether all weights are shards of one model. */
function isOneSharded(weights: readonly string[]): boolean {
  const [first, ...others] = weights.map(shardedModel);
  return first !== undefined && others.every((name) => name === first);
}

/** The part that the names of one model's shards share; undefined for a file that is not a shard. */
function shardedModel(name: string): string | undefined {
  return parseShard(name)?.model;
}

/** Weights side by side that nothing makes one model: each is its own. Shards among them are skipped. */
async function singleFiles(path: string, files: readonly Item[], search: Search): Promise<FoundPlace[]> {
  const single = files.filter(({ name }) => isWeightsFile(name) && shardedModel(name) === undefined);
  const places = await Promise.all(
    single.map(async (item) => ({
      kind: 'file' as const,
      path: await realPathOf(join(path, item.name), item, search),
    })),
  );
  return places.filter((place): place is { kind: 'file'; path: string } => place.path !== undefined);
}
