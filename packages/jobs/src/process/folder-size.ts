import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderSize {
  /** Of files by their length, so that a file with holes counts as what would be sent. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * What is below folders, at any depth, without following links. Stops when there is more than the bounds.
 * @param maxFiles files that are counted at most
 */
export async function measureFolders(
  folders: readonly string[],
  { maxBytes, maxFiles }: { readonly maxBytes: number; readonly maxFiles: number },
): Promise<FolderSize> {
  let [bytes, files] = [0, 0];
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    // A program may make and remove files at any moment, and take its own permissions away.
    const entries = await opendir(folder).catch(() => undefined);
    if (entries === undefined) continue;
    for await (const entry of entries) {
      files++;
      if (entry.isDirectory()) open.push(join(folder, entry.name));
      else if (entry.isFile()) bytes += (await lstat(join(folder, entry.name)).catch(() => undefined))?.size ?? 0;
      if (bytes > maxBytes || files > maxFiles) return { bytes, files };
    }
  }
  return { bytes, files };
}
