import type { Manifest, ManifestFile } from '@model-rtc/protocol';

/** What one file's bytes must match. */
export interface FilePlan {
  readonly file: ManifestFile;
  /** The chunk that its first byte is in. */
  readonly firstChunk: number;
  /** The sizes of the parts that the chunks cut the file into: part `i` belongs to chunk `firstChunk + i`. */
  readonly parts: readonly number[];
}

/**
 * A chunk with bytes of more than one file, which is read once more by itself. Our own chunker makes no such chunks.
 */
export interface SpanningChunk {
  readonly index: number;
  /** Bytes from the start of the model's files laid end to end. */
  readonly offset: number;
}

export interface HashPlan {
  readonly files: readonly FilePlan[];
  readonly spanning: readonly SpanningChunk[];
}

/** Lays the chunk list over the files. */
export function planHashing({ files, chunks }: Manifest): HashPlan {
  const plans: FilePlan[] = [];
  const spanning: SpanningChunk[] = [];
  let chunk = 0;
  /** Bytes of the current chunk that lie in earlier files. */
  let used = 0;
  let start = 0;
  for (const file of files) {
    const firstChunk = chunk;
    const parts: number[] = [];
    for (let left = file.size; left > 0; ) {
      const size = chunks[chunk]?.size ?? left;
      const part = Math.min(size - used, left);
      if (used === 0 && part < size) spanning.push({ index: chunk, offset: start + file.size - left });
      parts.push(part);
      left -= part;
      used += part;
      if (used < size) continue;
      chunk++;
      used = 0;
    }
    plans.push({ file, firstChunk, parts });
    start += file.size;
  }
  return { files: plans, spanning };
}
