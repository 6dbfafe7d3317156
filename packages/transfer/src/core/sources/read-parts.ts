import type { FetchOptions } from './source.ts';

/** A part of a wanted chunk within one read of something larger: a file, or a chunk that is cut otherwise. */
export interface ReadPart {
  /** The asker's label of the chunk. */
  readonly index: number;
  /** Where the part begins in the wanted chunk. */
  readonly at: number;
  /** Where it begins in what is read. */
  readonly offset: number;
  readonly length: number;
}

/** Takes the bytes of a read in order, and gives them as pieces of the wanted chunks. */
export function deliverTo(
  parts: readonly ReadPart[],
  onPiece: FetchOptions['onPiece'],
): (bytes: Uint8Array, at: number) => void {
  let next = 0;
  return (bytes, at) => {
    for (let done = 0; done < bytes.length; ) {
      const part = parts[next];
      if (part === undefined) return;
      const from = at + done - part.offset;
      const length = Math.min(bytes.length - done, part.length - from);
      onPiece(part.index, part.at + from, bytes.subarray(done, done + length), true);
      done += length;
      if (from + length === part.length) next++;
    }
  };
}
