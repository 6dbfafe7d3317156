import { CHUNKER } from '@model-rtc/formats';
import { type Digest, MANIFEST_VERSION, MAX_CHUNKS, MAX_FILES, ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import { hashLargeFiles } from './hash-large-files.ts';
import { hashSmallFiles, SMALL_FILE_BYTES } from './hash-small-files.ts';
import { countChunks, keepHashes, takeKnown } from './known-files.ts';
import type { HashedFile, HashedFiles, HashOptions, HashPass } from './types.ts';

/**
 * Reads each file once and makes the model's manifest from it: the SHA-256 of each file and of each chunk.
 * @throws ModelRtcError `source_changed` when a file is not as it was scanned, before, while or after it is read;
 * `cancelled` when the signal aborts; `storage` when a file cannot be read.
 */
export async function hashFiles(files: readonly ScannedFile[], options: HashOptions = {}): Promise<HashedFiles> {
  if (files.length === 0 || files.length > MAX_FILES) {
    const sentence = `A model has 1 to ${MAX_FILES} files, not ${files.length}; import a smaller folder.`;
    throw new ModelRtcError('bad_argument', sentence);
  }
  const pass = startPass(files, options);
  pass.throwIfCancelled();
  const readFromMs = options.cache?.now() ?? 0;
  const hashed = await takeKnown(files, options.cache, pass);
  const unknown = files.filter((file) => !hashed.has(file));
  const maxSmall = Math.max(files.length, MAX_CHUNKS / 2 - countChunks(hashed));
  const small = unknown.filter((file) => file.size <= SMALL_FILE_BYTES);
  const large = unknown.filter((file) => file.size > SMALL_FILE_BYTES);
  await hashSmallFiles(small, { ...pass, maxChunks: maxSmall }, hashed);
  await hashLargeFiles(large, { ...pass, maxChunks: MAX_CHUNKS - countChunks(hashed) }, hashed);
  pass.throwIfCancelled();
  await keepHashes(unknown, hashed, options.cache, readFromMs);
  return toResult(files, hashed);
}

function startPass(files: readonly ScannedFile[], { signal, onProgress }: HashOptions): Omit<HashPass, 'maxChunks'> {
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  let doneBytes = 0;
  return {
    throwIfCancelled() {
      if (!signal?.aborted) return;
      throw new ModelRtcError('cancelled', 'Cancelled; nothing was stored.', { cause: signal.reason });
    },
    addProgress(bytes) {
      doneBytes += bytes;
      onProgress?.({ doneBytes, totalBytes });
    },
  };
}

function toResult(files: readonly ScannedFile[], hashed: ReadonlyMap<ScannedFile, HashedFile>): HashedFiles {
  const entries = files.map((file) => ({ file, ...(hashed.get(file) as HashedFile) }));
  return {
    manifest: {
      version: MANIFEST_VERSION,
      files: entries.map(({ file: { path, size, mode }, sha256 }) => ({ path, size, sha256, mode })),
      chunker: CHUNKER,
      chunks: entries.flatMap(({ chunks, chunkSizes }) =>
        chunks.map((digest: Digest, i) => ({ digest, size: chunkSizes[i] as number })),
      ),
    },
    stats: entries.map(({ stats }) => stats),
  };
}
