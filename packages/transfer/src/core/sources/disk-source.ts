import type { Digest } from '@model-rtc/protocol';
import type { ChunkSource } from './source.ts';

export interface DiskSourceOptions {
  readonly name: string;
  /** Returns a chunk's bytes, or undefined when they are no longer there. The next call may overwrite them. */
  readonly readChunk: (digest: Digest, into: Uint8Array) => Promise<Uint8Array | undefined>;
}

/** Makes this machine's disk a source. It leaves out chunks that cannot be read, so that another source is asked for them. */
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

/** Ignores errors: a chunk can still come from elsewhere when another model's file cannot be read. */
async function readQuietly(read: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}
