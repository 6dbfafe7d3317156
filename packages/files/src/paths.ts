import type { Dirent } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ignoreMissing, storageError } from './storage-error.ts';

/** Whether a path is a folder or something below it. Both must be absolute and free of links; nothing is looked up. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Whether anything has this path, even a broken link. */
export async function exists(path: string): Promise<boolean> {
  return (await ignoreMissing(lstat(path))) !== undefined;
}

/** Whether there is a folder at this path, or a link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * What is directly in a folder; nothing when there is no such folder.
 * @throws ModelRtcError `storage`
 */
export async function listFolder(path: string): Promise<Dirent[]> {
  try {
    return (await ignoreMissing(readdir(path, { withFileTypes: true }))) ?? [];
  } catch (thrown) {
    throw storageError(thrown, path, 'read');
  }
}

/** Something found below a folder. */
export interface TreeItem {
  /** Absolute when the folder's path is. */
  readonly path: string;
  /** Relative to the folder, with `/` between the parts. */
  readonly inside: string;
  readonly entry: Dirent;
}

/**
 * Everything below a folder at any depth, a folder before its content. Does not follow links; a folder that disappears
 * meanwhile counts as empty.
 * @param skip an item to leave out by its relative path, together with everything below it
 * @throws ModelRtcError `storage`
 */
export async function listTree(root: string, skip: (inside: string) => boolean = () => false): Promise<TreeItem[]> {
  const items: TreeItem[] = [];
  const addFrom = async (folder: string, prefix: string): Promise<void> => {
    for (const entry of await listFolder(folder)) {
      const inside = prefix + entry.name;
      if (!skip(inside)) items.push({ path: join(folder, entry.name), inside, entry });
    }
  };
  await addFrom(root, '');
  // The loop reaches the items that it adds.
  for (const { path, inside, entry } of items) if (entry.isDirectory()) await addFrom(path, `${inside}/`);
  return items;
}
