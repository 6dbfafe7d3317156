import type { WantedChunk } from '@model-rtc/transfer';

/** A part of a wanted chunk within a read. */
export interface ReadPart {
  /** The asker's label of the chunk. */
  readonly index: number;
  /** Where the part begins in the wanted chunk, and in the file. */
  readonly at: number;
  readonly offset: number;
  readonly length: number;
}

/** One request: a part of a file. */
export interface FileRead {
  readonly path: string;
  readonly offset: number;
  length: number;
  /** In order, without gaps. */
  readonly parts: ReadPart[];
}

/** The reads that bring some chunks: neighbours in a file come with one request, of at most `maxBytes`. */
export function planReads(wanted: readonly WantedChunk[], maxBytes: number): FileRead[] {
  const reads: FileRead[] = [];
  for (const chunk of wanted) {
    let at = 0;
    for (const { path, offset, length } of chunk.extents()) {
      if (length > 0) addPart(reads, path, { index: chunk.index, at, offset, length }, maxBytes);
      at += length;
    }
  }
  return reads;
}

function addPart(reads: FileRead[], path: string, part: ReadPart, maxBytes: number): void {
  const last = reads.at(-1);
  const follows = last?.path === path && last.offset + last.length === part.offset;
  if (follows && last.length + part.length <= maxBytes) {
    last.parts.push(part);
    last.length += part.length;
  } else reads.push({ path, offset: part.offset, length: part.length, parts: [part] });
}

/** Takes the bytes of a read in order, and gives them as pieces of the wanted chunks. */
export function deliverTo(
  { parts }: Pick<FileRead, 'parts'>,
  onPiece: (index: number, offset: number, bytes: Uint8Array, intact: boolean) => void,
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
