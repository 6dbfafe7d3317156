import { createHash } from 'node:crypto';
import { type Digest, MAX_CHUNK_BYTES } from '@model-rtc/protocol';
import type { FileHashes } from './types.ts';

const DIGEST_BYTES = 32;
const CHUNK_BYTES = 4 + DIGEST_BYTES;
const CHECK_BYTES = 8;

/**
 * A file's hashes as the cache keeps them: its SHA-256, then each chunk's size (4 bytes, big-endian) and SHA-256, then the
 * first 8 bytes of the SHA-256 of all that, since the database itself does not notice a damaged page.
 */
export function encodeHashes({ sha256, chunks, chunkSizes }: FileHashes): Buffer {
  const record = Buffer.alloc(DIGEST_BYTES + chunks.length * CHUNK_BYTES + CHECK_BYTES);
  record.write(sha256, 0, 'hex');
  for (const [i, chunk] of chunks.entries()) {
    const at = DIGEST_BYTES + i * CHUNK_BYTES;
    record.writeUInt32BE(chunkSizes[i] as number, at);
    record.write(chunk, at + 4, 'hex');
  }
  checkOf(record).copy(record, record.length - CHECK_BYTES);
  return record;
}

/** Undefined for a damaged record, or one of a file of another size. */
export function decodeHashes(record: Uint8Array, fileSize: number): FileHashes | undefined {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  const count = (bytes.length - DIGEST_BYTES - CHECK_BYTES) / CHUNK_BYTES;
  if (!Number.isInteger(count) || count < 0) return undefined;
  if (!checkOf(bytes).equals(bytes.subarray(-CHECK_BYTES))) return undefined;
  const chunks: Digest[] = [];
  const chunkSizes: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = DIGEST_BYTES + i * CHUNK_BYTES;
    chunkSizes.push(bytes.readUInt32BE(at));
    chunks.push(bytes.toString('hex', at + 4, at + CHUNK_BYTES) as Digest);
  }
  const total = chunkSizes.reduce((sum, size) => sum + size, 0);
  if (total !== fileSize || chunkSizes.some((size) => size === 0 || size > MAX_CHUNK_BYTES)) return undefined;
  return { sha256: bytes.toString('hex', 0, DIGEST_BYTES) as Digest, chunks, chunkSizes };
}

function checkOf(record: Buffer): Buffer {
  return createHash('sha256').update(record.subarray(0, -CHECK_BYTES)).digest().subarray(0, CHECK_BYTES);
}
