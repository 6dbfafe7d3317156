import { lstat } from 'node:fs/promises';
import { listTree, mapLimit } from '@model-rtc/files';

const FILES_AT_ONCE = 32;

/**
 * The bytes that deleting a folder frees. Links count nothing, and neither does a file that has another name elsewhere: their
 * bytes stay.
 */
export async function ownBytes(folder: string): Promise<number> {
  const files = (await listTree(folder)).filter(({ entry }) => entry.isFile());
  const sizes = await mapLimit(files, FILES_AT_ONCE, async ({ path }) => {
    const found = await lstat(path).catch(() => undefined);
    return found?.isFile() && found.nlink === 1 ? found.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
