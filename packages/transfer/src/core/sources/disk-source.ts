import type { Digest } from '@model-rtc/protocol';
import type { ChunkSource } from './source.ts';

export interface DiskSourceOptions {
  readonly name: string;
  /** The bytes of a chunk, or undefined when they are no longer there. They may be overwritten by the next call. */
  readonly readChunk: (digest: Digest, into: Uint8Array) => Promise<Uint8Array | undefined>;
}

/** This machine's own disk as a source. A chunk that cannot be read is left out, so another source is asked for it. */
export function diskSource({ name, readChunk }: DiskSourceOptions): ChunkSource {
  return {
    name,
    isLocal: true,
    isLimited: false,
    async fetch(chunks, { signal, onPiece }) {
      const largest = chunks.reduce((most, { size }) => Math.max(most, size), 0);
      const scratch = new Uint8Array(largest);
      for (const { index, digest, size } of chunks) {
        signal.throwIfAborted();
        const read = async (known: Digest) => await readChunk(known, scratch.subarray(0, size));
        const bytes = digest === undefined ? undefined : await readQuietly(() => read(digest));
        if (bytes !== undefined && bytes.length === size) onPiece(index, 0, bytes, true);
      }
    },
  };
}

/** Whatever is wrong with a file of another model, its chunk can still come from elsewhere. */
async function readQuietly(read: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}
