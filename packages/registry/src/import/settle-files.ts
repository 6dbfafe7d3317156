import { chmod, lstat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { atStorage, listTree, mapLimit, modelFileMode, syncFolder } from '@model-rtc/files';
import { type Manifest, ModelRtcError, OWN_FOLDER } from '@model-rtc/protocol';
import type { DataPaths } from '../store/data-folder.ts';
import { folderModeIn } from '../store/folder-modes.ts';
import type { FileStat } from '../store/types.ts';

const FILES_AT_ONCE = 32;

/** The permission bits that staged files get where they go. */
export interface SettledModes {
  readonly file: number;
  /** Undefined leaves the folders as they were staged: for this user only. */
  readonly folder: number | undefined;
}

export function requireStaged(staging: string, folder: string): void {
  const inside = relative(staging, folder);
  if (inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return;
  throw new ModelRtcError('bad_argument', `${folder} is not in ${staging}; stage the files there.`);
}

/** The permission bits of a model's files: staged folders are only for this user, those of a group's models are for the group. */
export async function modelModes({ root }: Pick<DataPaths, 'root'>): Promise<SettledModes> {
  const folder = await folderModeIn(root);
  return { file: modelFileMode(process.umask()), folder: (folder & 0o077) === 0 ? undefined : folder };
}

/** Requires that the folder holds the manifest's files and nothing else, and gives both their modes. */
export async function settleFiles(root: string, manifest: Manifest, modes: SettledModes): Promise<FileStat[]> {
  const expected = new Set<string>(manifest.files.map((file) => file.path));
  const folders = [root];
  for (const { path, inside, entry } of await listTree(root, (item) => item === OWN_FOLDER)) {
    if (entry.isDirectory()) folders.push(path);
    else if (!entry.isFile()) throw notAsVerified(root, `${JSON.stringify(inside)} is not a plain file`);
    else if (!expected.has(inside)) throw notAsVerified(root, `${JSON.stringify(inside)} is not in the manifest`);
  }
  const stats = await mapLimit(manifest.files, FILES_AT_ONCE, async (file) => {
    const path = join(root, file.path);
    const found = await atStorage(path, 'read', async () => await lstat(path, { bigint: true }));
    if (!found.isFile() || found.size !== BigInt(file.size)) {
      throw notAsVerified(root, `${JSON.stringify(file.path)} is not a file of ${file.size} bytes`);
    }
    if ((Number(found.mode) & 0o777) !== modes.file)
      await atStorage(path, 'given its mode', () => chmod(path, modes.file));
    return { path: file.path, size: file.size, mtimeNs: found.mtimeNs };
  });
  await mapLimit(folders, FILES_AT_ONCE, async (folder) => {
    const mode = modes.folder;
    if (mode !== undefined) await atStorage(folder, 'given its mode', () => chmod(folder, mode));
    await atStorage(folder, 'written', () => syncFolder(folder));
  });
  return stats;
}

function notAsVerified(root: string, problem: string): ModelRtcError {
  const sentence = `The staged files in ${root} are not those of the manifest (${problem}). Start the transfer again.`;
  return new ModelRtcError('verification_failed', sentence, { details: { path: root } });
}
