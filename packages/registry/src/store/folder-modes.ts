import { chmod, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, ignoreMissing, makeFolder, storageError } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { DataPaths } from './data-folder.ts';

const PRIVATE = 0o700;
const OTHERS = 0o077;
/** Either says that the owner means the folder for a group: plain defaults have neither. */
const SET_GROUP_ID = 0o2000;
const GROUP_WRITES = 0o020;
/** What no shared folder gives to new ones: the sticky bit and the like. */
const PERMISSIONS = 0o2777;

/**
 * The permission bits of a folder in the data folder: only for its user, unless the data folder is set up for a group, which has its
 * set-group-ID bit or may write. Then it is the data folder's own bits.
 */
export async function folderModeIn(root: string): Promise<number> {
  const { mode } = await stat(root);
  return (mode & (SET_GROUP_ID | GROUP_WRITES)) === 0 ? PRIVATE : mode & PERMISSIONS;
}

/** The same for a file there. */
export async function fileModeIn(root: string): Promise<number> {
  return (await folderModeIn(root)) & 0o666;
}

/**
 * Makes a folder that lies directly in the data folder. An earlier version made it readable for all; that is put right.
 * @throws the system's error
 */
export async function makeDataFolder(path: string): Promise<void> {
  const mode = await folderModeIn(dirname(path));
  const isNew = await makeFolder(path, mode);
  await settleMode(path, mode, isNew);
}

/** Makes the data folder itself, and what everything else needs in it. @throws ModelRtcError `storage` */
export async function prepareDataFolder({ root, models, staging, keys, ...paths }: DataPaths): Promise<void> {
  await makeRoot(root);
  try {
    await makeDataFolder(models);
    await makeDataFolder(staging);
    await makeFolder(keys, PRIVATE);
    const mode = await folderModeIn(root);
    for (const path of [paths.kept, paths.workers, paths.chunkIndex, paths.hashCache]) await settleMode(path, mode);
    await settleMode(paths.registryFile, mode & 0o666);
  } catch (thrown) {
    throw storageError(thrown, root, 'created');
  }
}

/** @throws ModelRtcError `storage` */
export async function makeRoot(root: string): Promise<void> {
  try {
    await makeFolder(root, PRIVATE);
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code !== 'ENOENT' && code !== 'EEXIST' && code !== 'ENOTDIR') throw storageError(thrown, root, 'created');
    throw badRootError(root, code, thrown);
  }
}

function badRootError(path: string, code: string, cause: unknown): ModelRtcError {
  const why = code === 'ENOENT' ? 'nothing can be created there' : 'there is a file at it, or above it';
  const sentence = `The data folder ${path} cannot be created: ${why} (${code}). Set MODEL_RTC_HOME to another folder.`;
  return new ModelRtcError('storage', sentence, { cause, details: { path } });
}

/** Only what is plainly a default is changed: a link, or what belongs to somebody else, stays as it is. */
async function settleMode(path: string, wanted: number, isNew = false): Promise<void> {
  if (process.platform === 'win32') return;
  const found = await ignoreMissing(lstat(path));
  if (found === undefined || found.isSymbolicLink()) return;
  const mode = found.mode & PERMISSIONS;
  const isPrivate = (wanted & OTHERS) === 0;
  const isDefault = isPrivate ? (mode & OTHERS) !== 0 : isNew || (mode & OTHERS) === 0;
  if (isDefault && mode !== wanted) await chmod(path, wanted).catch(() => undefined);
}
