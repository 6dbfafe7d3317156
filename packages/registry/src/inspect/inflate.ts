import { constants, createInflateRaw } from 'node:zlib';
import type { Inflate, Inflated } from '@model-rtc/formats';

const PART_BYTES = 64 * 1024;
/** zlib gives nothing of the part in which it finds damage, so that its beginning is unpacked in the smallest parts. */
const SMALLEST_PART_BYTES = 64;
const MAX_BYTES_BEFORE_DAMAGE = 4096;

/** Unpacks with Node's zlib. */
export const inflate: Inflate = async (bytes, maxBytes) => {
  const inflated = await inflateInParts(bytes, maxBytes, PART_BYTES);
  if (inflated.outcome !== 'damaged' || inflated.bytes.length > 0) return inflated;
  const beginning = await inflateInParts(bytes, Math.min(maxBytes, MAX_BYTES_BEFORE_DAMAGE), SMALLEST_PART_BYTES);
  return { ...beginning, outcome: 'damaged' };
};

async function inflateInParts(bytes: Uint8Array, maxBytes: number, chunkSize: number): Promise<Inflated> {
  // With this flag zlib accepts content that ends in the middle.
  const stream = createInflateRaw({ chunkSize, finishFlush: constants.Z_SYNC_FLUSH });
  const parts: Uint8Array[] = [];
  let total = 0;
  const soFar = (outcome: Inflated['outcome']): Inflated => {
    return { bytes: Buffer.concat(parts, Math.min(total, maxBytes)), used: stream.bytesWritten, outcome };
  };
  stream.end(bytes);
  try {
    for await (const part of stream as AsyncIterable<Uint8Array>) {
      parts.push(part);
      total += part.length;
      if (total > maxBytes) return soFar('too_long');
    }
    return soFar('whole');
  } catch {
    return soFar('damaged');
  }
}
