import { lstat, statfs } from 'node:fs/promises';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { mapLimit } from './map-limit.ts';
import { listTree } from './paths.ts';
import { atStorage } from './storage-error.ts';

export interface RoomNeeded {
  /** A folder on the file system in question. */
  readonly folder: string;
  readonly bytes: number;
  /** What needs the space, as the start of a sentence: `The copy`. */
  readonly what: string;
  /** What to do instead of freeing space, as the end of a sentence. */
  readonly otherwise: string;
}

/** The part of what a file system says about itself that is needed here. */
export interface FileSystemRoom {
  readonly blocks: number;
  readonly bavail: number;
  readonly bsize: number;
}

/**
 * Bytes that this user may still write on the file system of a folder; infinity where the file system does not say.
 * @throws ModelRtcError `storage`
 */
export async function freeBytes(
  folder: string,
  measure: (folder: string) => Promise<FileSystemRoom> = statfs,
): Promise<number> {
  const { blocks, bavail, bsize } = await atStorage(folder, 'measured', async () => await measure(folder));
  // ramfs and some FUSE file systems count no blocks, which does not mean that they are full.
  return blocks > 0 ? bavail * bsize : Number.POSITIVE_INFINITY;
}

/** @throws ModelRtcError `storage_full` when the bytes do not fit. Call it before writing the first. */
export async function requireRoom({ folder, bytes, what, otherwise }: RoomNeeded): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes) return;
  const sentence = `${what} needs ${formatBytes(bytes)}, and ${folder} has ${formatBytes(free)} free. Free some space, or ${otherwise}.`;
  throw new ModelRtcError('storage_full', sentence, { details: { path: folder, neededBytes: bytes, freeBytes: free } });
}

const FILES_AT_ONCE = 32;

/**
 * The bytes that deleting a folder frees. Links count nothing, nor does a file that has another name elsewhere, since its bytes
 * stay.
 */
export async function ownBytes(folder: string): Promise<number> {
  const files = (await listTree(folder)).filter(({ entry }) => entry.isFile());
  const sizes = await mapLimit(files, FILES_AT_ONCE, async ({ path }) => {
    const found = await lstat(path).catch(() => undefined);
    return found?.isFile() && found.nlink === 1 ? found.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
