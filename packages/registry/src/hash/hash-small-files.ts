import { mapLimit } from '@model-rtc/files';
import { planChunks } from '@model-rtc/formats';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { Meter } from '../progress.ts';
import { createBothHashes } from './hash-state.ts';
import { openSourceFile } from './source-file.ts';
import type { HashedFile } from './types.ts';

/** A file up to this size is read whole and hashed at once, which takes no longer than handing it to a thread. */
export const SMALL_FILE_BYTES = 1024 * 1024;
/** Opening and reading wait for the disk; Node does 4 such things at once, so twice that keeps it busy. */
const FILES_AT_ONCE = 8;

/**
 * Hashes files of up to 1 MiB, several at once; the memory is one buffer for each.
 * @param maxChunks how many chunks all files together may have
 */
export async function hashSmallFiles(
  files: readonly ScannedFile[],
  maxChunks: number,
  meter: Meter,
  hashed: Map<ScannedFile, HashedFile>,
): Promise<void> {
  const buffers = Array.from({ length: FILES_AT_ONCE }, (): Uint8Array => new Uint8Array(0));
  let chunksLeft = maxChunks - files.length;
  await mapLimit(files, FILES_AT_ONCE, async (file) => {
    meter.throwIfCancelled();
    const buffer = grow(buffers.pop(), file.size);
    const result = await hashSmallFile(file, buffer.subarray(0, file.size), chunksLeft);
    chunksLeft -= Math.max(0, result.chunks.length - 1);
    buffers.push(buffer);
    hashed.set(file, result);
    meter.add(file.size);
  });
}

async function hashSmallFile(file: ScannedFile, bytes: Uint8Array, chunksLeft: number): Promise<HashedFile> {
  await using source = await openSourceFile(file);
  await source.readInto(bytes, 0);
  const planned = await planChunks(
    { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) },
    file.path,
  );
  const chunkSizes = planned.length > 1 && planned.length - 1 > chunksLeft ? [bytes.length] : planned;
  const hashes = createBothHashes(chunkSizes);
  hashes.update(bytes);
  return { ...hashes.finish(), chunkSizes, stats: await source.confirm() };
}

function grow(buffer: Uint8Array | undefined, size: number): Uint8Array {
  return buffer !== undefined && buffer.length >= size ? buffer : new Uint8Array(Math.max(size, 64 * 1024));
}
