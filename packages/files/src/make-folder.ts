import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFolder } from './paths.ts';
import { errorCode } from './storage-error.ts';

/**
 * Makes a folder, and those above it that are missing. Node's own way never returns where a file system has nothing at a path and
 * lets nobody make anything there either, such as `/proc`.
 * @param mode the permission bits of the folder itself, less the umask
 * @returns whether it was made; false for one that was there
 * @throws the system's error
 */
export async function makeFolder(path: string, mode = 0o777): Promise<boolean> {
  try {
    return await makeOne(path, mode);
  } catch (thrown) {
    const parent = dirname(path);
    if (errorCode(thrown) !== 'ENOENT' || parent === path) throw thrown;
    await makeFolder(parent);
    return await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (thrown) {
    // A root folder gives EISDIR on some systems, one on a read-only disk EROFS.
    if (errorCode(thrown) === 'ENOENT' || !(await isFolder(path))) throw thrown;
    return false;
  }
}
