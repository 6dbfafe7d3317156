import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, isMissing, mapLimit } from '@model-rtc/files';

const FILES_AT_ONCE = 32;

/**
 * The bytes of files that go when a folder is deleted. Links count nothing, and neither does a file that has another name
 * elsewhere: their bytes stay.
 */
export async function ownBytes(folder: string): Promise<number> {
  const paths: string[] = [];
  const folders = [folder];
  // Grows while it is gone through: each folder adds those in it.
  for (const path of folders) {
    const items = await atStorage(path, 'read', async () => await readdir(path, { withFileTypes: true })).catch(
      noneIfGone,
    );
    for (const item of items) {
      if (item.isDirectory()) folders.push(join(path, item.name));
      else if (item.isFile()) paths.push(join(path, item.name));
    }
  }
  const sizes = await mapLimit(paths, FILES_AT_ONCE, async (path) => {
    const found = await lstat(path).catch(() => undefined);
    return found?.isFile() && found.nlink === 1 ? found.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function noneIfGone(thrown: unknown): [] {
  if (isMissing((thrown as { readonly cause?: unknown }).cause)) return [];
  throw thrown;
}
