import { createHash } from 'node:crypto';
import type { Digest } from '@model-rtc/protocol';

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

/** The SHA-256 of each chunk, whose sizes are known; a chunk may lie in several blocks. */
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
