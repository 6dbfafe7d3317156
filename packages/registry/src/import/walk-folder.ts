import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, errorCode, mapLimit } from '@model-rtc/files';
import { isLogFolder, logFolders, skipReason } from '@model-rtc/formats';
import { MAX_FILES, type ModelPath, ModelRtcError, modelPathProblem, pathsProblem } from '@model-rtc/protocol';
import type { ScannedFile, SkippedPath } from './scanned-model.ts';

/** Node runs 4 file operations at once; a few more keep them busy. */
const STATS_AT_ONCE = 16;
/** Folders and skipped files count too: links that fan out could otherwise multiply empty folders without end. */
const MAX_ENTRIES = 4 * MAX_FILES;

export interface FoundFiles {
  /** Sorted by the bytes of their paths. */
  readonly files: readonly ScannedFile[];
  readonly skipped: readonly SkippedPath[];
}

interface Walk {
  readonly files: ScannedFile[];
  readonly skipped: SkippedPath[];
  entries: number;
}

interface Folder {
  /** Relative and in NFC; empty for the root. */
  readonly path: string;
  readonly absolutePath: string;
  /** The folders that it is in, by device and inode: meeting one of them again is a cycle of links. */
  readonly ancestors: ReadonlySet<string>;
  /** Whether it is in a folder of logs, which is looked into for runs alone. */
  readonly isLog: boolean;
}

/**
 * The files under a folder that may be part of a model. Links to files and folders are followed.
 * @throws ModelRtcError `invalid_model` for a broken or circular link and for a name that other machines cannot have;
 * `storage` when something cannot be read.
 */
export async function walkFolder(root: string): Promise<FoundFiles> {
  const walk: Walk = { files: [], skipped: [], entries: 0 };
  const rootStats = await atStorage(root, 'read', () => stat(root, { bigint: true }));
  const folders: Folder[] = [
    { path: '', absolutePath: root, ancestors: new Set([identityOf(rootStats)]), isLog: false },
  ];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    folders.push(...(await walkOne(folder, walk)));
  }
  // In their order, so that the message does not depend on which file was looked at first.
  const files = sortByPath(walk.files);
  const problem = pathsProblem(files.map((file) => file.path));
  if (problem !== undefined) throw invalid(`${problem}; rename it in ${root} and import again.`);
  return {
    files,
    skipped: walk.skipped.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** What was found, without the folders of logs that are no part of a model. */
export function withoutLogs({ files, skipped }: FoundFiles): FoundFiles {
  const folders = logFolders([...files, ...skipped].map(({ path }) => path));
  if (folders.length === 0) return { files, skipped };
  const folderOf = (path: string) => folders.find((folder) => path.startsWith(`${folder.path}/`));
  const bytes = new Map(folders.map((folder) => [folder, 0]));
  const kept = files.filter(({ path, size }) => {
    const folder = folderOf(path);
    if (folder !== undefined) bytes.set(folder, (bytes.get(folder) ?? 0) + size);
    return folder === undefined;
  });
  const logs = folders.map((folder) => ({
    path: folder.path,
    reason: folder.holdsWeights ? 'training logs, with weights that are not part of this model' : 'training logs',
    bytes: bytes.get(folder),
  }));
  const others = skipped.filter(({ path }) => folderOf(path) === undefined);
  return { files: kept, skipped: [...others, ...logs].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** A file's size, mode and time under its model path. */
export function toScannedFile(path: string, absolutePath: string, stats: BigIntStats): ScannedFile {
  const problem = modelPathProblem(path);
  if (problem !== undefined) throw invalid(`${absolutePath} cannot be part of a model: ${problem}; rename it.`);
  return {
    path: path as ModelPath,
    absolutePath,
    size: Number(stats.size),
    mode: Number(stats.mode & 0o777n),
    mtimeNs: stats.mtimeNs,
  };
}

/** Adds a folder's files to the walk; gives its folders. */
async function walkOne(folder: Folder, walk: Walk): Promise<Folder[]> {
  const entries = await atStorage(folder.absolutePath, 'read', () =>
    readdir(folder.absolutePath, { withFileTypes: true }),
  );
  walk.entries += entries.length;
  if (walk.entries > MAX_ENTRIES) {
    throw invalid(`${folder.absolutePath} and the folders around it hold more than ${MAX_ENTRIES} files; import less.`);
  }
  const found = await mapLimit(entries, STATS_AT_ONCE, (entry) => visit(folder, entry, walk));
  if (walk.files.length > MAX_FILES) {
    throw invalid(`A model has at most ${MAX_FILES} files; import a smaller folder than ${folder.absolutePath}.`);
  }
  return found.filter((child) => child !== undefined);
}

/** Keeps or skips one entry of a folder; gives the folder that it is. */
async function visit(folder: Folder, entry: Dirent, walk: Walk): Promise<Folder | undefined> {
  const name = entry.name.normalize('NFC');
  const path = folder.path === '' ? name : `${folder.path}/${name}`;
  const absolutePath = join(folder.absolutePath, entry.name);
  const skip = (reason: string): undefined => {
    walk.skipped.push({ path, reason });
  };
  const early = reasonByName(name, entry);
  if (early !== undefined) return skip(early);
  const isLog = folder.isLog || isLogFolder(name);
  const stats = await statEntry(absolutePath).catch(ifBroken(isLog));
  if (stats === undefined) return skip('a broken link');
  if (stats.isFile()) {
    walk.files.push(toScannedFile(path, absolutePath, stats));
    return undefined;
  }
  if (!stats.isDirectory()) return skip(`a ${kindOf(stats)}`);
  const identity = identityOf(stats);
  if (folder.ancestors.has(identity)) {
    if (isLog) return skip('a circular link');
    throw invalid(`The link ${absolutePath} leads back to a folder that it is in; remove it and import again.`);
  }
  return { path, absolutePath, ancestors: new Set([...folder.ancestors, identity]), isLog };
}

/** Loggers link to their latest run; where that is gone, nothing of the model is. */
function ifBroken(isLog: boolean): (thrown: unknown) => undefined {
  return (thrown) => {
    if (isLog && ModelRtcError.from(thrown).code === 'invalid_model') return undefined;
    throw thrown;
  };
}

/** A link is judged by its name alone, as what it may point to: where it leads does not matter when it is left out. */
function reasonByName(name: string, entry: Dirent): string | undefined {
  if (entry.isDirectory()) return skipReason(name, 'folder');
  return skipReason(name, 'file') ?? (entry.isSymbolicLink() ? skipReason(name, 'folder') : undefined);
}

async function statEntry(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ELOOP') throw invalid(`The link ${path} leads back to itself; remove it and import again.`, cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw await missingEntry(path, cause);
    return atStorage(path, 'read', () => Promise.reject(cause));
  }
}

/** Why an entry of a folder has no file behind it. */
async function missingEntry(path: string, cause: unknown): Promise<ModelRtcError> {
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink()) {
    return invalid(`The link ${path} is broken: what it points to is not there. Restore it or remove the link.`, cause);
  }
  if (path.includes('\ufffd')) return invalid(`The name of ${path} is not valid UTF-8; rename it.`, cause);
  return new ModelRtcError('source_changed', `${path} went away while the folder was read; import again.`, { cause });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'pipe';
  return stats.isSocket() ? 'socket' : 'device';
}

function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

export function sortByPath(files: readonly ScannedFile[]): ScannedFile[] {
  const keyed = files.map((file) => ({ file, key: Buffer.from(file.path) }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ file }) => file);
}

function invalid(sentence: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError('invalid_model', sentence, { cause });
}
