import { planChunks } from '@model-rtc/formats';
import { type Digest, sha256Digest } from '@model-rtc/protocol';
import { arrayReader } from '../bytes/readers.ts';

export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly digest: Digest;
}

/** The chunks of a file as a manifest would list them. */
export async function chunksOf(bytes: Uint8Array): Promise<Chunk[]> {
  let start = 0;
  return (await planChunks(arrayReader(bytes), 'file')).map((size) => {
    const end = start + size;
    const chunk = { start, end, digest: sha256Digest(bytes.subarray(start, end)) };
    start = end;
    return chunk;
  });
}

/** Whether every byte of a range lies in chunks that the other side has. */
export function isShared(chunks: readonly Chunk[], known: ReadonlySet<Digest>, start: number, end: number): boolean {
  return chunks.every((chunk) => chunk.end <= start || chunk.start >= end || known.has(chunk.digest));
}
