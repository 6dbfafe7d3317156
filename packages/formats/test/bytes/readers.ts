import type { ByteReader } from '@model-rtc/formats';

export interface CountingReader extends ByteReader {
  /** The bytes read so far. */
  readonly readBytes: number;
}

/** Reads an array and refuses what lies outside of it, as a file would. */
export function arrayReader(bytes: Uint8Array): CountingReader {
  return sparseReader(bytes.length, [[0, bytes]]);
}

/** A file of any size that is zero except for some pieces, which must not overlap. */
export function sparseReader(size: number, pieces: readonly (readonly [number, Uint8Array])[]): CountingReader {
  let readBytes = 0;
  return {
    size,
    get readBytes() {
      return readBytes;
    },
    async read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw new Error(`read of ${length} at ${offset}`);
      readBytes += length;
      const result = new Uint8Array(length);
      for (const [at, bytes] of pieces) {
        const from = Math.max(offset, at);
        const to = Math.min(offset + length, at + bytes.length);
        if (from < to) result.set(bytes.subarray(from - at, to - at), from - offset);
      }
      return result;
    },
  };
}
