import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { isMissing, mapLimit, storageError } from '@model-rtc/files';
import {
  type FileSet,
  type FolderExtras,
  fileSetOf,
  type ModelFolder,
  type ModelRoot,
  modelRoots,
  nameByPath,
  noModelAt,
  recogniseFile,
  recogniseFolder,
  severalModelsError,
  toChecked,
  toFolder,
  toModelType,
  trainingStateReason,
} from '@model-rtc/formats/layouts';
import { ModelRtcError, suggestAlias } from '@model-rtc/protocol';
import { inflate } from '../inspect/inflate.ts';
import { namingLeftOut } from './left-out-weights.ts';
import { toModelFile } from './model-files-on-disk.ts';
import { filesAround, runAround } from './run-around.ts';
import type { ScannedFile, ScannedModel, SkippedPath } from './scanned-model.ts';
import { type FoundFiles, sortByPath, toScannedFile, walkFolder, withoutLogs } from './walk-folder.ts';

/** How hubs name a downloaded snapshot: by a commit, in a folder with the model's name. */
const HUB_SNAPSHOT = /models--(?:[^/\\]+--)?([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/;

/** Blobs of a store: a title in the file says more. */
const DIGEST_NAME = /^sha256-[0-9a-f]{64}$/;
const STATS_AT_ONCE = 16;

export interface ScanOptions {
  /** In place of the type that the model's own files tell. */
  readonly modelType?: string | undefined;
  /** Keep states of the optimizer and the like, which only a training that goes on needs. */
  readonly withTrainingState?: boolean | undefined;
  /** Take a folder that holds several models as one. */
  readonly asOne?: boolean | undefined;
  /** The model is where the path leads, and not in a folder above or below it. */
  readonly isExact?: boolean | undefined;
}

/**
 * Finds the model at a path: a training run of sleap-nn or SLEAP, a hub's repository, a folder of weights or a single
 * weights file. Reads what its configuration tells; hashes nothing.
 * @throws ModelRtcError `not_found_locally` when nothing is there; `bad_argument` when it holds no model, or several;
 * `invalid_model` for files that cannot be part of one; `storage` when something cannot be read.
 */
export async function scanModel(path: string, options: ScanOptions = {}): Promise<ScannedModel> {
  const modelType = checkType(options.modelType);
  const root = resolve(path);
  const stats = await statRoot(root);
  const scanned = stats.isDirectory() ? await scanAround(root, options) : await scanFile(root, stats, options);
  const facts = modelType === undefined ? scanned.facts : { ...scanned.facts, modelType };
  const byTitle = DIGEST_NAME.test(basename(root)) ? facts.title : undefined;
  const name = facts.runName ?? byTitle ?? nameOf(root, stats, scanned) ?? facts.title;
  const { title: _, ...kept } = facts;
  const { files, skipped, movedTo } = scanned;
  return { files, skipped, facts: kept, suggestedAlias: aliasOf(name), movedTo };
}

/** Undefined where nothing of the name can be kept: a type and an id say more than `model`. */
function aliasOf(name: string | undefined): string | undefined {
  const alias = name === undefined ? undefined : suggestAlias(name);
  return alias === 'model' && name !== 'model' ? undefined : alias;
}

interface Scanned extends ScannedModel {
  readonly setName?: string | undefined;
}

/** The model of a folder: its own, that of the run that it is a part of, or the only run in it. */
async function scanAround(named: string, options: ScanOptions): Promise<Scanned> {
  if (options.asOne === true) return await scanFound(named, await walkFolder(named), options);
  const root = options.isExact === true ? named : await runAround(named);
  const found = await walkFolder(root);
  const paths = found.files.map(({ path }) => path);
  const roots = modelRoots(paths);
  if (roots.length > 1) throw severalModelsError(root, roots);
  const below = options.isExact === true ? undefined : roots.find((only) => standsFor(only, paths));
  const place = below === undefined ? root : join(root, below.path);
  const scanned = await scanFound(place, below === undefined ? found : await walkFolder(place), options);
  const around = below?.kind === 'model' ? namedFrom(place, root, found.skipped) : [];
  return place === named ? scanned : { ...scanned, skipped: [...scanned.skipped, ...around], movedTo: place };
}

/** What was left out around a model, by its path from there. */
function namedFrom(place: string, root: string, skipped: readonly SkippedPath[]): SkippedPath[] {
  const named = skipped.map((one) => ({ ...one, path: relative(place, join(root, one.path)).split(sep).join('/') }));
  return named.filter(({ path }) => path.startsWith('../'));
}

/** Whether a folder above means the model: what else is there does not belong to it. */
function standsFor({ path, kind }: ModelRoot, paths: readonly string[]): boolean {
  if (path === '') return false;
  return kind === 'run' || (kind === 'model' && paths.every((other) => other.startsWith(`${path}/`)));
}

async function scanFound(root: string, everything: FoundFiles, options: ScanOptions): Promise<Scanned> {
  const { modelType, withTrainingState = false } = options;
  const found = withoutLogs(everything);
  const skipped: SkippedPath[] = [...found.skipped];
  const keep = (files: readonly ScannedFile[], reasonOf: ((path: string) => string | undefined) | undefined) =>
    files.filter(({ path, size }) => {
      const reason = reasonOf?.(path);
      if (reason !== undefined) skipped.push({ path, reason, bytes: size });
      return reason === undefined;
    });
  const files = withTrainingState ? found.files : keep(found.files, trainingStateReason);
  const kept = new Set(files);
  const aside = found.files.filter((file) => !kept.has(file)).map(toModelFile);
  const folder = folderOnDisk(root, files, { aside, around: async (path) => await filesAround(root, path) });
  const { facts, leaveOut } = await recogniseFolder(folder, { typeIsKnown: modelType !== undefined }).catch(
    async (thrown: unknown) => await namingLeftOut(thrown, root, skipped),
  );
  return { files: keep(files, leaveOut), facts, skipped };
}

async function scanFile(absolutePath: string, stats: BigIntStats, options: ScanOptions): Promise<Scanned> {
  if (!stats.isFile()) throw noModelAt(absolutePath);
  const folder = dirname(absolutePath);
  const set = await fileSetOf(basename(absolutePath), await readFolder(folder), async (name) =>
    toChecked(toModelFile(await scannedFile(folder, name))),
  );
  if (set?.kind === 'folder') {
    const scanned = await scanAround(folder, options);
    return { ...scanned, movedTo: scanned.movedTo ?? folder };
  }
  if (set !== undefined) return await scanSet(folder, set);
  const file = toScannedFile(basename(absolutePath).normalize('NFC'), absolutePath, stats);
  return { files: [file], facts: await recogniseFile(toModelFile(file), { inflate }), skipped: [] };
}

/** Some files of a folder that are one model. What is not there is found to be missing later. */
async function scanSet(root: string, set: Extract<FileSet, { kind: 'files' }>): Promise<Scanned> {
  const there = await mapLimit(set.paths, STATS_AT_ONCE, (path) => scannedFile(root, path).catch(ifMissing));
  const files = sortByPath(there.filter((file) => file !== undefined));
  const folder = folderOnDisk(root, files);
  const { facts } = await recogniseFolder(folder, { typeIsKnown: true });
  return { files, facts: { ...facts, checkpointPath: set.checkpoint }, skipped: [], setName: set.name };
}

function ifMissing(thrown: unknown): undefined {
  if (ModelRtcError.from(thrown).code !== 'not_found_locally') throw thrown;
  return undefined;
}

async function scannedFile(root: string, path: string): Promise<ScannedFile> {
  const absolutePath = join(root, path);
  return toScannedFile(path.normalize('NFC'), absolutePath, await statRoot(absolutePath));
}

/** The names of the files in a folder; none when only the file itself may be read. */
async function readFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** The files of a folder as the layouts look at them. */
export function folderOnDisk(root: string, files: readonly ScannedFile[], extras?: FolderExtras): ModelFolder {
  return toFolder(root, files.map(toModelFile), { inflate }, extras);
}

async function statRoot(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    if (!isMissing(cause)) throw storageError(cause, path, 'read');
    throw nothingAt(path, cause);
  }
}

function nothingAt(path: string, cause: unknown): ModelRtcError {
  return new ModelRtcError('not_found_locally', `There is nothing at ${path}; check the path.`, { cause });
}

function checkType(modelType: string | undefined): string | undefined {
  if (modelType === undefined || toModelType(modelType) === modelType) return modelType;
  const hint = toModelType(modelType) ?? 'my_type';
  throw new ModelRtcError(
    'bad_argument',
    `${JSON.stringify(modelType)} cannot be a model type: it is made of a-z, 0-9, "_" and "-". Try "${hint}".`,
  );
}

function nameOf(root: string, stats: BigIntStats, { setName, movedTo }: Scanned): string | undefined {
  const folder = movedTo ?? (stats.isDirectory() ? root : dirname(root));
  const snapshot = HUB_SNAPSHOT.exec(folder)?.[1];
  if (snapshot !== undefined) return snapshot;
  const name = movedTo === undefined && !stats.isDirectory() ? [setName ?? basename(root, extname(root))] : [];
  return nameByPath([...folder.split(sep).filter((part) => part !== ''), ...name]);
}
