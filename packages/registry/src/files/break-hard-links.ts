import { constants } from 'node:fs';
import { copyFile, lstat, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@model-rtc/protocol';

/**
 * Gives every file of a folder bytes of its own: one that has a second name in another model would change that model, too,
 * when a person writes into it. A file for whose copy there is no room stays as it is.
 */
export async function partFiles(folder: string, log: Log): Promise<void> {
  const folders = [folder];
  // Grows while it is gone through: each folder adds those in it.
  for (const at of folders) {
    for (const item of await readdir(at, { withFileTypes: true })) {
      const path = join(at, item.name);
      if (item.isDirectory()) folders.push(path);
      else if (item.isFile()) await partFile(path).catch((error: unknown) => log.warn({ path, error }, 'still shared'));
    }
  }
}

async function partFile(path: string): Promise<void> {
  const { nlink, atime, mtime } = await lstat(path);
  if (nlink === 1) return;
  const copy = `${path}.parted`;
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    await utimes(copy, atime, mtime);
    await rename(copy, path);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}
