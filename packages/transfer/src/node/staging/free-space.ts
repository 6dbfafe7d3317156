import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { bytesInModel, extentsAt, type Layout } from '../../core/layout/layout.ts';
import { FILE_OVERHEAD_BYTES, FREE_SPACE_MARGIN_BYTES } from '../../core/limits.ts';

/** Bytes that this user may still write on the file system of a folder. */
export type FreeSpace = (folder: string) => Promise<number>;

/** By id: 1 for each chunk whose room is taken already, judged by the sizes of half-filled files. */
export async function chunksWithRoom(layout: Layout, filesFolder: string): Promise<Uint8Array> {
  const taken = await Promise.all(layout.files.map(({ path, size }) => isAllocated(join(filesFolder, path), size)));
  const withRoom = new Uint8Array(layout.sizes.length);
  for (const [place, id] of layout.idAt.entries()) {
    if (extentsAt(layout, place).every(({ file }) => taken[file] === true)) withRoom[id] = 1;
  }
  return withRoom;
}

async function isAllocated(path: string, size: number): Promise<boolean> {
  try {
    return (await stat(path)).blocks * 512 >= size;
  } catch {
    return false;
  }
}

/** @throws ModelRtcError `storage_full`, with the bytes that are needed and free */
export async function checkFreeSpace(
  layout: Layout,
  present: Uint8Array,
  { folder, freeSpace }: { folder: string; freeSpace: FreeSpace },
): Promise<void> {
  const missing = present.reduce((sum, there, id) => sum + (there === 1 ? 0 : bytesInModel(layout, id)), 0);
  if (missing === 0) return;
  const needed = missing + layout.files.length * FILE_OVERHEAD_BYTES + FREE_SPACE_MARGIN_BYTES;
  const free = await freeSpace(folder);
  if (free >= needed) return;
  throw new ModelRtcError(
    'storage_full',
    `The disk has too little room: ${formatBytes(needed)} are needed in ${folder} and ${formatBytes(free)} are free. Free some space and run the command again.`,
    { details: { neededBytes: needed, freeBytes: free, folder } },
  );
}
