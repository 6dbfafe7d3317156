import { randomBytes } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { ModelRtcError } from '@model-rtc/protocol';
import type { DataPaths } from './data-folder.ts';

/** Besides the index: a lock, notes, and what the file system keeps of names. */
const MIN_SPARE_BYTES = 256 * 1024;

type SparePaths = Pick<DataPaths, 'spareRoom' | 'registryFile'>;

/**
 * Keeps some of the disk for the day when it is full: deleting a model frees room and needs a little of it first, for the lock and
 * for the new index beside the old one. Whatever fails here changes nothing.
 */
export async function keepSpareRoom({ spareRoom, registryFile }: SparePaths): Promise<void> {
  const [spare, index] = await Promise.all([sizeOf(spareRoom), sizeOf(registryFile)]);
  const wanted = MIN_SPARE_BYTES + 2 * index;
  if (spare >= MIN_SPARE_BYTES + index) return;
  // Zeros would take no room on file systems that compress.
  await writeFile(spareRoom, randomBytes(wanted), { mode: 0o600 }).catch(() =>
    rm(spareRoom, { force: true }).catch(() => {}),
  );
}

/**
 * Does work that frees room. On a full disk it is done once more with the spare room, which is kept again afterwards.
 * @throws what the work throws
 */
export async function withSpareRoom<T>(paths: SparePaths, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'storage_full') throw error;
    await rm(paths.spareRoom, { force: true });
    return await work();
  } finally {
    await keepSpareRoom(paths);
  }
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
