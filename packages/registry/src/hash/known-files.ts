import { mapLimit } from '@model-rtc/files';
import { MAX_CHUNKS } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { HashCache, HashedFile, HashPass } from './types.ts';

/** Reading and hashing a smaller file takes no longer than looking for it. */
const SMALLEST_BYTES = 64 * 1024;
const FILES_AT_ONCE = 8;

/** The files whose hashes are known from an earlier reading. */
export async function takeKnown(
  files: readonly ScannedFile[],
  cache: HashCache | undefined,
  pass: Omit<HashPass, 'maxChunks'>,
): Promise<Map<ScannedFile, HashedFile>> {
  const known = new Map<ScannedFile, HashedFile>();
  if (cache === undefined) return known;
  await mapLimit(files.filter(isWorthIt), FILES_AT_ONCE, async (file) => {
    pass.throwIfCancelled();
    const found = await cache.get(file);
    if (found === undefined) return;
    const { ino, ...hashes } = found;
    known.set(file, { ...hashes, stats: { path: file.path, size: file.size, mtimeNs: file.mtimeNs, ino } });
  });
  // A model of so many chunks is cut into fewer, larger ones, for which all its files are planned together.
  if (countChunks(known) > MAX_CHUNKS / 2) return new Map();
  for (const { size } of known.keys()) pass.addProgress(size);
  return known;
}

/** Keeps what was found of the files that were read. */
export async function keepHashes(
  read: readonly ScannedFile[],
  hashed: ReadonlyMap<ScannedFile, HashedFile>,
  cache: HashCache | undefined,
  readFromMs: number,
): Promise<void> {
  if (cache === undefined || countChunks(hashed) > MAX_CHUNKS / 2) return;
  await mapLimit(read.filter(isWorthIt), FILES_AT_ONCE, async (file) => {
    const hashes = hashed.get(file);
    if (hashes !== undefined) await cache.put(file, hashes, readFromMs);
  });
}

export function countChunks(hashed: ReadonlyMap<ScannedFile, HashedFile>): number {
  return [...hashed.values()].reduce((sum, file) => sum + file.chunks.length, 0);
}

function isWorthIt({ size }: ScannedFile): boolean {
  return size >= SMALLEST_BYTES;
}
