import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  atStorage,
  errorCode,
  ignoreMissing,
  isMissing,
  NO_HARD_LINKS,
  storageError,
  syncFolder,
} from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { DataPaths } from '../store/data-folder.ts';
import { refuseOwnFolders } from '../store/own-folders.ts';

export interface OutputPlace {
  /** Absolute, its folder without links. */
  readonly path: string;
  /** The plain file or link that is there now. It is replaced, never followed. */
  readonly existing: Stats | undefined;
}

/**
 * Checks where the new file goes, before the work of making it.
 * @throws ModelRtcError `bad_argument` for a folder, a device, or a place inside the registry; `refused` for a file that is
 *   there, unless it may be overwritten
 */
export async function chooseOutput(toPath: string, overwrite: boolean, paths: DataPaths): Promise<OutputPlace> {
  const given = resolve(toPath);
  const folder = await realpath(dirname(given)).catch((thrown: unknown) => {
    if (!isMissing(thrown)) throw storageError(thrown, dirname(given), 'read');
    const sentence = `There is no folder ${dirname(given)}. Make it first, or choose another place for the archive.`;
    throw new ModelRtcError('bad_argument', sentence, { cause: thrown, details: { path: given } });
  });
  const path = join(folder, basename(given));
  await refuseOwnFolders(path, paths, 'the archive');
  const existing = await atStorage(path, 'read', () => ignoreMissing(lstat(path)));
  if (existing !== undefined) refuseExisting(path, existing, overwrite);
  return { path, existing };
}

function refuseExisting(path: string, existing: Stats, overwrite: boolean): void {
  if (existing.isDirectory()) {
    const sentence = `${path} is a folder. Give the archive's file name too, such as ${join(path, 'model.tar')}.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { path } });
  }
  if (!existing.isFile() && !existing.isSymbolicLink()) {
    throw new ModelRtcError('bad_argument', `${path} is not a plain file. Choose another place for the archive.`, {
      details: { path },
    });
  }
  if (!overwrite) throw alreadyThere(path);
}

function alreadyThere(path: string, cause?: unknown): ModelRtcError {
  const sentence = `${path} exists already. Choose another name, or replace it with --force.`;
  return new ModelRtcError('refused', sentence, { cause, details: { path } });
}

/**
 * Makes a file that appears under its name when it is whole and on the disk, or not at all.
 * @param write gets the file under a name of its own, in the same folder
 * @throws ModelRtcError `refused` when a file that may not be overwritten appeared meanwhile, `storage_full`, `storage`
 */
export async function writeOutput<T>(
  path: string,
  overwrite: boolean,
  write: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const temporary = join(dirname(path), `model-rtc-export-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    let result: T;
    try {
      result = await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    if (overwrite) await rename(temporary, path);
    else await publishNew(temporary, path);
    await syncFolder(dirname(path));
    return result;
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(thrown, path, 'written');
  }
}

/** A rename would replace a file that another program has made meanwhile; a link does not. */
export async function publishNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (thrown) {
    const code = errorCode(thrown) ?? '';
    if (code === 'EEXIST') throw alreadyThere(path, thrown);
    if (!NO_HARD_LINKS.has(code)) throw thrown;
    // A USB stick's file system has no links: there, a look just before the rename has to do.
    if (await lstat(path).catch(() => undefined)) throw alreadyThere(path, thrown);
    await rename(temporary, path);
    return;
  }
  await rm(temporary);
}
