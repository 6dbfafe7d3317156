import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { atStorage, errorCode, isInside } from '@model-rtc/files';
import { holdsWeights, isSure, isTelling, isWeightsFile, markOf, skipReason } from '@model-rtc/formats';
import { findSnapshots, isHubRepository } from '../import/hub-cache.ts';
import { isOllamaStore, listOllamaModels } from '../import/ollama-store.ts';
import { parseShard } from './look-at-place.ts';
import type { FoundPlace, FoundPlaces, LeftOut } from './types.ts';

/** Deeper than anyone nests models. A cycle of links ends there too. */
const MAX_DEPTH = 12;
/** Folders searched: a person may watch a whole disk by mistake. */
const MAX_FOLDERS = 50_000;
/** Nothing says which configuration belongs to which of them. */
const MIXED_SHARDS = 'it is a shard beside other weights; put all shards of one model into a folder of their own';
/** Weights lie at most this deep below the files that make them one model: `lightning_logs/version_0/checkpoints`. */
const WEIGHTS_DEPTH = 3;
/** How deep a project keeps its runs: `runs/detect/train`, `logs/train/runs/DATE`. */
const RUNS_DEPTH = 5;
/** Folders that are looked into for runs below one file of weights: data sets have tens of thousands. */
const MAX_RUN_FOLDERS = 1_000;

/** The part of a model that sees or hears; it lies beside the model's own weights, as in LM Studio's folders. */
const PROJECTOR = /^mmproj.*\.gguf$/i;
const RUN_CONFIG = /^(training|initial)_config\.(ya?ml|json)$/;
/** Checkpoints that a trainer can resume from, each as large as the model. They are parts of a training, not models. */
const TRAINER_CHECKPOINT = /^checkpoint-\d+$/;
/** Other things in a hub's cache. */
const OTHER_REPOSITORY = /^(datasets|spaces)--/;

interface Search {
  readonly places: FoundPlace[];
  readonly folders: string[];
  readonly unreadable: string[];
  readonly leftOut: LeftOut[];
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
  const lists = { places: [], folders: [], unreadable: [], leftOut: [] };
  const search: Search = { ...lists, top, met: new Set(), except: new Set(real) };
  const open: Folder[] = [{ path: top, depth: 0 }];
  const { dev, ino } = await atStorage(root, 'read', () => stat(top));
  const isEmpty = (await atStorage(root, 'read', () => readdir(top))).length === 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    if (search.folders.length >= MAX_FOLDERS) notSearched(folder.path, search);
    else open.push(...(await lookInto(folder, search)));
  }
  const { places, folders, unreadable, leftOut } = search;
  places.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { root: top, identity: `${dev}:${ino}`, isEmpty, places, folders, unreadable, leftOut };
}

function notSearched(path: string, { unreadable, leftOut }: Search): void {
  unreadable.push(path);
  const reason = `there are more than ${MAX_FOLDERS} folders, and it was not searched; watch the folders of the models alone`;
  // One line for all of them: where a search ends says little.
  if (!leftOut.some((other) => other.reason === reason)) leftOut.push({ path, kind: 'unreadable', reason });
}

/** Adds the folder itself or the places in it. Resolves to the folders to search next. */
async function lookInto({ path, depth }: Folder, search: Search): Promise<Folder[]> {
  if (search.met.has(path) || search.except.has(path)) return [];
  search.met.add(path);
  const items = await readFolder(path, search);
  if (items === undefined) return [];
  if (isHubRepository(basename(path), items)) {
    search.folders.push(join(path, 'refs'), join(path, 'snapshots'));
    const snapshots = await findSnapshots(path);
    search.places.push(...snapshots);
    if (snapshots.length === 0) search.leftOut.push({ path, kind: 'incomplete', reason: NO_SNAPSHOT });
    return [];
  }
  if (isOllamaStore(items)) {
    const { models, folders: searched } = await listOllamaModels(path);
    search.folders.push(...searched, join(path, 'blobs'));
    search.places.push(...models.map((model) => ({ kind: 'manifest' as const, path: model.path, name: model.name })));
    return [];
  }
  const there = items.filter(({ problem }) => problem === undefined);
  const files = there.filter(({ isFolder, name }) => !isFolder && skipReason(name, 'file') === undefined);
  const folders = there.filter(({ isFolder, name }) => isFolder && skipReason(name, 'folder') === undefined);
  const kind = await placeKind(path, files, folders, depth === 0);
  if (kind !== undefined) {
    search.places.push({ kind, path });
    return [];
  }
  // Inside a model, a broken link is told of when the model is taken in.
  search.leftOut.push(...brokenLinks(path, items));
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
  /** Why there is nothing behind a link. */
  readonly problem?: string | undefined;
}

const NO_SNAPSHOT = 'no snapshot of it was downloaded';

/** Undefined for a folder that cannot be read, which is noted. */
async function readFolder(path: string, search: Search): Promise<Item[] | undefined> {
  search.folders.push(path);
  try {
    return await itemsOf(path);
  } catch (thrown) {
    search.unreadable.push(path);
    const code = errorCode(thrown);
    // Gone since its parent was read.
    if (code === 'ENOENT') return undefined;
    search.leftOut.push({ path, kind: 'unreadable', reason: `the folder cannot be read (${code ?? String(thrown)})` });
    return undefined;
  }
}

async function itemsOf(path: string): Promise<Item[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const items = await Promise.all(entries.map((entry) => toItem(path, entry)));
  return items.filter((item) => item !== undefined);
}

/** What a folder really holds; nothing where it cannot be read. */
async function thereIn(path: string): Promise<Item[]> {
  return (await itemsOf(path).catch(() => [])).filter(({ problem }) => problem === undefined);
}

/** A link counts as its target. A pipe or a device counts as nothing. */
async function toItem(folder: string, entry: Dirent): Promise<Item | undefined> {
  const { name } = entry;
  if (entry.isDirectory()) return { name, isFolder: true, isLink: false };
  if (entry.isFile()) return { name, isFolder: false, isLink: false };
  if (!entry.isSymbolicLink()) return undefined;
  try {
    const stats = await stat(join(folder, name));
    if (!stats.isDirectory() && !stats.isFile()) return undefined;
    return { name, isFolder: stats.isDirectory(), isLink: true };
  } catch (thrown) {
    return { name, isFolder: false, isLink: true, problem: linkProblem(thrown) };
  }
}

function linkProblem(thrown: unknown): string {
  const code = errorCode(thrown);
  if (code === 'ELOOP') return 'it is a link that leads back to itself';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'it is a link to nothing: what it points to is not there';
  return `it is a link to something that cannot be read (${code ?? String(thrown)})`;
}

/** Links that may have been models. */
function brokenLinks(folder: string, items: readonly Item[]): LeftOut[] {
  return items.flatMap(({ name, problem }): LeftOut[] => {
    const isSkipped = skipReason(name, 'file') !== undefined || skipReason(name, 'folder') !== undefined;
    if (problem === undefined || isSkipped) return [];
    return [{ path: join(folder, name), kind: 'dangling_link', reason: problem }];
  });
}

/** Undefined for a link that leads out of the folder, which is noted, and for a broken link. */
async function realPathOf(path: string, { isLink }: Item, { top, leftOut }: Search): Promise<string | undefined> {
  if (!isLink) return path;
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || isInside(real, top)) return real;
  const reason = `it is a link that leads out of ${top} and is not followed; watch the folder that it leads to as well`;
  leftOut.push({ path, kind: 'outside', reason });
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
  const marked = await markAt(path, files, folders);
  if (marked !== undefined && !(isTop && marked.tool === 'checkpoints')) {
    const isModel = files.some(({ name }) => holdsWeights(name)) || (await holdWeights(path, folders, WEIGHTS_DEPTH));
    const isOfRuns = !marked.isSure && (await holdRuns(path, folders, RUNS_DEPTH));
    return isModel && !isOfRuns ? 'folder' : undefined;
  }
  if (weights.length === 0 || isTop) return isOneSharded(weights) ? 'folder' : undefined;
  // Weights that a training began with often lie beside the folder of its runs.
  const ownWeights = weights.filter((name) => !PROJECTOR.test(name));
  if (weights.length === 1 || ownWeights.length === 1)
    return (await holdRuns(path, folders, RUNS_DEPTH)) ? undefined : 'folder';
  return isOneSharded(ownWeights) ? 'folder' : undefined;
}

interface Marked {
  readonly tool: string;
  readonly kind: 'run' | 'model';
  readonly isSure: boolean;
}

async function markAt(path: string, files: readonly Item[], folders: readonly Item[]): Promise<Marked | undefined> {
  const inside = new Map<string, readonly string[]>();
  for (const { name } of folders.filter((folder) => isTelling(folder.name))) {
    const items = await thereIn(join(path, name));
    inside.set(
      name,
      items.filter(({ isFolder }) => !isFolder).map((item) => item.name),
    );
  }
  const names = {
    files: files.map(({ name }) => name),
    folders: folders.map(({ name }) => name),
    filesIn: (name: string) => inside.get(name) ?? [],
  };
  const mark = markOf(names);
  return mark === undefined ? undefined : { tool: mark.tool, kind: mark.kind, isSure: isSure(mark, names) };
}

/** Whether a training's run lies somewhere below, as far as the search goes. */
async function holdRuns(
  path: string,
  folders: readonly Item[],
  depth: number,
  search = { left: MAX_RUN_FOLDERS },
): Promise<boolean> {
  for (const { name } of folders.filter((folder) => !folder.isLink)) {
    search.left--;
    if (search.left < 0) return false;
    const items = await thereIn(join(path, name));
    const below = items.filter((item) => item.isFolder && skipReason(item.name, 'folder') === undefined);
    const files = items.filter((item) => !item.isFolder);
    const mark = await markAt(join(path, name), files, below);
    if (mark?.kind === 'run' && mark.tool !== 'checkpoints') return true;
    if (depth > 1 && (await holdRuns(join(path, name), below, depth - 1, search))) return true;
  }
  return false;
}

async function holdWeights(path: string, folders: readonly Item[], depth: number): Promise<boolean> {
  for (const { name } of folders) {
    if (skipReason(name, 'folder') !== undefined || TRAINER_CHECKPOINT.test(name)) continue;
    const items = await thereIn(join(path, name));
    if (items.some((item) => !item.isFolder && holdsWeights(item.name))) return true;
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

/** Weights side by side that nothing makes one model: each is its own. Shards among them are left out. */
async function singleFiles(path: string, files: readonly Item[], search: Search): Promise<FoundPlace[]> {
  const weights = files.filter(({ name }) => isWeightsFile(name));
  const single = weights.filter(({ name }) => shardedModel(name) === undefined);
  const [shard] = weights.filter(({ name }) => shardedModel(name) !== undefined);
  if (shard !== undefined) search.leftOut.push({ path: join(path, shard.name), kind: 'invalid', reason: MIXED_SHARDS });
  const places = await Promise.all(
    single.map(async (item) => ({
      kind: 'file' as const,
      path: await realPathOf(join(path, item.name), item, search),
    })),
  );
  return places.filter((place): place is { kind: 'file'; path: string } => place.path !== undefined);
}
