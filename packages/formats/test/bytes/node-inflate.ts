import { constants, createInflateRaw } from 'node:zlib';
import type { Inflate, Inflated } from '@model-rtc/formats';

/** What unpacks in the tests of this package, which has no use for Node itself. */
export const nodeInflate: Inflate = async (bytes, maxBytes) => {
  const stream = createInflateRaw({ chunkSize: 16 * 1024, finishFlush: constants.Z_SYNC_FLUSH });
  const parts: Buffer[] = [];
  let total = 0;
  const soFar = (outcome: Inflated['outcome']): Inflated => {
    return { bytes: Buffer.concat(parts, Math.min(total, maxBytes)), used: stream.bytesWritten, outcome };
  };
  stream.end(bytes);
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      parts.push(part);
      total += part.length;
      if (total > maxBytes) return soFar('too_long');
    }
    return soFar('whole');
  } catch {
    return soFar('damaged');
  }
};
