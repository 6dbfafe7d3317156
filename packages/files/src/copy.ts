import { constants } from 'node:fs';
import { copyFile, type FileHandle, lstat, rename, rm, utimes } from 'node:fs/promises';

/**
 * The codes that `link()` fails with on a file system that has no hard links (exFAT, some network shares) or allows no more.
 */
export const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Makes a new file that shares the other one's disk blocks.
 * @returns false when the file system cannot do this, or anything else prevents it; nothing is left behind
 */
export async function cloneFile(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (thrown) {
    // Some file systems leave an empty file when they cannot clone. A file that was there before stays.
    if ((thrown as { readonly code?: unknown }).code !== 'EEXIST') await rm(to, { force: true });
    return false;
  }
}

/**
 * Gives a file its own bytes when it has other names too, so that writing to it does not change the others. Its times stay.
 * Shares disk blocks where the file system can.
 * @throws the file system's error; the file is then as it was
 */
export async function breakHardLinks(path: string): Promise<void> {
  const { nlink, atime, mtime } = await lstat(path);
  if (nlink === 1) return;
  const copy = `${path}.unlinked`;
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    await utimes(copy, atime, mtime);
    await rename(copy, path);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}

/**
 * Gives a file the time at which its original was last written. A time in the future is left out, since it would make the file
 * look newer than everything that is written from now on.
 * @param mtimeMs milliseconds since 1970
 */
export async function setFileTime(file: FileHandle, mtimeMs: number): Promise<void> {
  const nowMs = Date.now();
  if (mtimeMs <= nowMs) await file.utimes(nowMs / 1000, mtimeMs / 1000);
}

/**
 * The permission bits of a model's file that the registry owns. Nobody starts such a file, whatever it was where it comes from;
 * this machine's umask decides who may read and write it.
 */
export function modelFileMode(umask: number): number {
  return 0o666 & ~umask;
}
