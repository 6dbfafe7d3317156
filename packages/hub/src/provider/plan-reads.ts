import type { ReadPart, WantedChunk } from '@model-rtc/transfer';

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
