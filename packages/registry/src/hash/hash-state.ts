import { createHash } from 'node:crypto';
import type { Digest } from '@model-rtc/protocol';
import type { FileDigests } from './types.ts';

/** Digests of bytes that come in order, block by block. */
export interface HashState<T> {
  update(bytes: Uint8Array): void;
  finish(): T;
}

/** The SHA-256 of all bytes together. */
export function createFileHash(): HashState<Digest> {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    finish: () => hash.digest('hex') as Digest,
  };
}

/** The SHA-256 of each chunk. The sizes are known beforehand; a chunk may lie in several blocks. */
export function createChunkHashes(sizes: readonly number[]): HashState<Digest[]> {
  const digests: Digest[] = [];
  let hash = createHash('sha256');
  let missing = sizes[0] ?? 0;
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + missing);
        hash.update(piece);
        at += piece.length;
        missing -= piece.length;
        if (missing > 0) continue;
        digests.push(hash.digest('hex') as Digest);
        hash = createHash('sha256');
        missing = sizes[digests.length] ?? Number.POSITIVE_INFINITY;
      }
    },
    finish: () => digests,
  };
}

/** Both at once. The digest of a file's only chunk is the file's own. */
export function createBothHashes(chunkSizes: readonly number[]): HashState<FileDigests> {
  const file = createFileHash();
  const chunks = chunkSizes.length === 1 ? undefined : createChunkHashes(chunkSizes);
  return {
    update(bytes) {
      file.update(bytes);
      chunks?.update(bytes);
    },
    finish() {
      const sha256 = file.finish();
      return { sha256, chunks: chunks?.finish() ?? [sha256] };
    },
  };
}
