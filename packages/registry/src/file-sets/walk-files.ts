import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, isInside, mapLimit } from '@model-rtc/files';
import { foldCase, MAX_FILES, type ModelPath, ModelRtcError, modelPathProblem } from '@model-rtc/protocol';
import { kindOf, sortByPath, toFile } from '../import/scanned-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { LeftOutFile } from './types.ts';

/** Node runs 4 file operations at once; a few more keep them busy. */
const STATS_AT_ONCE = 16;
/** Folders and what is left out count too. */
const MAX_ENTRIES = 4 * MAX_FILES;

/** Why something does not travel: a link to elsewhere, a name that other machines cannot have, nothing behind a link, or no file. */
type LeftOutKind = 'outside' | 'name' | 'broken' | 'other';

export interface LeftOutItem extends LeftOutFile {
  readonly kind: LeftOutKind;
  /** Where a link leads. */
  readonly target?: string | undefined;
}

export interface WalkedFiles {
  /** Without links. */
  readonly root: string;
  /** Sorted by the bytes of their paths; a link to a file of the folder is that file under another name. */
  readonly files: readonly ScannedFile[];
  readonly emptyFolders: readonly ModelPath[];
  readonly leftOut: readonly LeftOutItem[];
}

interface Walk {
  readonly root: string;
  readonly files: ScannedFile[];
  readonly emptyFolders: ModelPath[];
  readonly leftOut: LeftOutItem[];
  entries: number;
}

interface Found {
  readonly path: ModelPath;
  readonly absolutePath: string;
}

/**
 * All files of a folder, whatever they are. A link counts as the file that it leads to, if that lies in the folder too.
 * @throws ModelRtcError `storage`; `bad_argument` for too many files
 */
export async function walkFiles(folder: string): Promise<WalkedFiles> {
  const root = await atStorage(folder, 'read', () => realpath(folder));
  const walk: Walk = { root, files: [], emptyFolders: [], leftOut: [], entries: 0 };
  const folders: { path: string; absolutePath: string }[] = [{ path: '', absolutePath: root }];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) folders.push(...(await walkOne(next, walk)));
  const { files, emptyFolders, leftOut } = withoutClashes(walk);
  return {
    root,
    files,
    emptyFolders: [...emptyFolders].sort(),
    leftOut: [...leftOut].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** Takes a folder's files; gives its folders. */
async function walkOne(folder: { path: string; absolutePath: string }, walk: Walk): Promise<Found[]> {
  const { path, absolutePath } = folder;
  const entries = await atStorage(absolutePath, 'read', () => readdir(absolutePath, { withFileTypes: true }));
  walk.entries += entries.length;
  if (entries.length === 0 && path !== '') walk.emptyFolders.push(path as ModelPath);
  const found = await mapLimit(entries, STATS_AT_ONCE, (entry) => visit(folder, entry, walk));
  if (walk.files.length > MAX_FILES || walk.entries > MAX_ENTRIES) throw tooManyFiles(walk.root);
  return found.filter((child) => child !== undefined);
}

export function tooManyFiles(root: string): ModelRtcError {
  const sentence = `${root} holds more than ${MAX_FILES} files, the most that travel at once. Pack them into an archive, or take a smaller folder.`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: root } });
}

/** Takes or leaves out one entry of a folder; gives the folder that it is. */
async function visit(
  folder: { path: string; absolutePath: string },
  entry: Dirent,
  walk: Walk,
): Promise<Found | undefined> {
  const name = entry.name.normalize('NFC');
  const path = folder.path === '' ? name : `${folder.path}/${name}`;
  const absolutePath = join(folder.absolutePath, entry.name);
  const problem = name.includes('\ufffd') ? 'its name is not valid UTF-8' : modelPathProblem(path);
  if (problem !== undefined) {
    walk.leftOut.push({ path, kind: 'name', reason: problem });
    return undefined;
  }
  const found: Found = { path: path as ModelPath, absolutePath };
  if (entry.isSymbolicLink()) return await takeLink(found, walk);
  if (entry.isDirectory()) return found;
  const stats = await atStorage(absolutePath, 'read', () => lstat(absolutePath, { bigint: true }));
  if (stats.isFile()) walk.files.push(toFile(found.path, found.absolutePath, stats));
  else walk.leftOut.push({ path, kind: 'other', reason: `a ${kindOf(stats)}` });
  return undefined;
}

async function takeLink({ path, absolutePath }: Found, walk: Walk): Promise<undefined> {
  const target = await realpath(absolutePath).catch(() => undefined);
  if (target === undefined) {
    walk.leftOut.push({ path, kind: 'broken', reason: 'a link that leads nowhere' });
    return;
  }
  if (!isInside(target, walk.root)) {
    walk.leftOut.push({ path, kind: 'outside', reason: 'a link that leads out of the folder', target });
    return;
  }
  const stats = await atStorage(target, 'read', () => stat(target, { bigint: true }));
  // The file itself, so that whoever reads it later follows no link.
  if (stats.isFile()) walk.files.push(toFile(path, target, stats));
  else if (stats.isDirectory()) walk.leftOut.push({ path, kind: 'other', reason: 'a link to a folder' });
  else walk.leftOut.push({ path, kind: 'other', reason: `a link to a ${kindOf(stats)}` });
}

/** Leaves out what would be the same file as another, or as a folder, where upper and lower case are one. */
function withoutClashes({
  files,
  emptyFolders,
  leftOut,
}: Walk): Pick<WalkedFiles, 'files' | 'emptyFolders' | 'leftOut'> {
  const sorted = sortByPath(files);
  const folders = new Map<string, string>();
  for (const { path } of sorted) for (const above of foldersOf(path)) folders.set(foldCase(above), above);
  const taken = new Map<string, string>();
  const clashing: LeftOutItem[] = [];
  const kept = sorted.filter(({ path }) => {
    const folded = foldCase(path);
    const other = taken.get(folded) ?? folders.get(folded);
    if (other === undefined) taken.set(folded, path);
    else
      clashing.push({
        path,
        kind: 'name',
        reason: `differs from ${JSON.stringify(other)} in upper and lower case alone`,
      });
    return other === undefined;
  });
  return {
    files: kept,
    emptyFolders: emptyFolders.filter((path) => !taken.has(foldCase(path))),
    leftOut: [...leftOut, ...clashing],
  };
}

function* foldersOf(path: string): Iterable<string> {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) yield path.slice(0, slash);
}
