import { mapLimit } from '@model-rtc/files';
import { CHUNKER } from '@model-rtc/formats';
import {
  MANIFEST_VERSION,
  MAX_CHUNKS,
  MAX_FILES,
  MAX_TIMED_FILES,
  type Manifest,
  ModelRtcError,
  manifestTime,
} from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import { createMeter, type Meter } from '../progress.ts';
import { hashLargeFiles } from './hash-large-files.ts';
import { hashSmallFiles, SMALL_FILE_BYTES } from './hash-small-files.ts';
import type { HashCache, HashedFile, HashedFiles, HashOptions } from './types.ts';

/** Reading and hashing a smaller file takes no longer than looking it up in the cache. */
const MIN_CACHED_BYTES = 64 * 1024;
const LOOKUPS_AT_ONCE = 8;

type Hashed = Map<ScannedFile, HashedFile>;

/**
 * Reads each file once and makes the model's manifest from it: the SHA-256 of each file and of each chunk.
 * @throws ModelRtcError `source_changed` when a file is not as it was scanned, before, while or after it is read;
 * `cancelled` when the signal aborts; `storage` when a file cannot be read.
 */
export async function hashFiles(files: readonly ScannedFile[], options: HashOptions = {}): Promise<HashedFiles> {
  if (files.length === 0 || files.length > MAX_FILES) {
    const sentence = `A model has 1 to ${MAX_FILES} files, not ${files.length}. Import a smaller folder.`;
    throw new ModelRtcError('bad_argument', sentence);
  }
  const { cache } = options;
  const meter = createMeter(
    files.reduce((sum, file) => sum + file.size, 0),
    options,
  );
  meter.throwIfCancelled();
  const readFromMs = cache?.nowMs() ?? 0;
  const hashed: Hashed = cache === undefined ? new Map() : await lookUp(files, cache, meter);
  const unknown = files.filter((file) => !hashed.has(file));
  const maxSmall = Math.max(files.length, MAX_CHUNKS / 2 - countChunks(hashed));
  const small = unknown.filter((file) => file.size <= SMALL_FILE_BYTES);
  const large = unknown.filter((file) => file.size > SMALL_FILE_BYTES);
  await hashSmallFiles(small, maxSmall, meter, hashed);
  await hashLargeFiles(large, MAX_CHUNKS - countChunks(hashed), meter, hashed, options.planChunks);
  meter.throwIfCancelled();
  if (cache !== undefined) await remember(unknown, hashed, cache, readFromMs);
  return toResult(files, hashed);
}

/** The files that the cache knows. */
async function lookUp(files: readonly ScannedFile[], cache: HashCache, meter: Meter): Promise<Hashed> {
  const known: Hashed = new Map();
  await mapLimit(files.filter(isWorthCaching), LOOKUPS_AT_ONCE, async (file) => {
    meter.throwIfCancelled();
    const hashes = await cache.get(file);
    const { path, size, mtimeNs } = file;
    if (hashes !== undefined) known.set(file, { ...hashes, stats: { path, size, mtimeNs } });
  });
  // A model of so many chunks is cut into fewer, larger ones, and for that all its files are planned together.
  if (countChunks(known) > MAX_CHUNKS / 2) return new Map();
  for (const { size } of known.keys()) meter.add(size);
  return known;
}

async function remember(
  read: readonly ScannedFile[],
  hashed: Hashed,
  cache: HashCache,
  readFromMs: number,
): Promise<void> {
  if (countChunks(hashed) > MAX_CHUNKS / 2) return;
  await mapLimit(read.filter(isWorthCaching), LOOKUPS_AT_ONCE, async (file) => {
    const hashes = hashed.get(file);
    if (hashes !== undefined) await cache.put(file, hashes, readFromMs);
  });
}

function countChunks(hashed: Hashed): number {
  return [...hashed.values()].reduce((sum, file) => sum + file.chunks.length, 0);
}

function isWorthCaching({ size }: ScannedFile): boolean {
  return size >= MIN_CACHED_BYTES;
}

function toResult(files: readonly ScannedFile[], hashed: Hashed): HashedFiles {
  const hasTimes = files.length <= MAX_TIMED_FILES;
  const entries = files.map((file) => ({ file, ...(hashed.get(file) as HashedFile) }));
  return {
    manifest: {
      version: MANIFEST_VERSION,
      files: entries.map(({ file, sha256 }) => toManifestFile(file, sha256, hasTimes)),
      chunker: CHUNKER,
      chunks: entries.flatMap(({ chunks, chunkSizes }) =>
        chunks.map((digest, i) => ({ digest, size: chunkSizes[i] as number })),
      ),
    },
    stats: entries.map(({ stats }) => stats),
  };
}

function toManifestFile(
  { path, size, mode, mtimeNs }: ScannedFile,
  sha256: HashedFile['sha256'],
  hasTimes: boolean,
): Manifest['files'][number] {
  const mtimeMs = hasTimes ? manifestTime(mtimeNs) : undefined;
  return mtimeMs === undefined ? { path, size, sha256, mode } : { path, size, sha256, mode, mtimeMs };
}
