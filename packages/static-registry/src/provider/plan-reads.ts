import type { ReadPart, WantedChunk } from '@model-rtc/transfer';
import { chunkSize, type StaticManifest } from '../format/static-manifest.ts';

/** One request: a part of one of the registry's chunks. */
export interface ChunkRead {
  /** The number of the registry's chunk, and its bytes. */
  readonly chunk: number;
  readonly chunkBytes: number;
  readonly offset: number;
  length: number;
  /** In order, without gaps. */
  readonly parts: ReadPart[];
}

/** Where each file begins in the concatenation of a manifest's files. */
export function fileOffsets({ contents }: StaticManifest): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const { path, size } of contents.files) {
    offsets.set(path, offset);
    offset += size;
  }
  return offsets;
}

/**
 * The reads that bring some chunks of a model, however it is cut for the transfer: neighbours come with one request, and none asks for
 * more than `maxBytes`, so that several connections share the work. Files that the registry does not have are left out.
 */
export function planReads(
  manifest: StaticManifest,
  offsets: ReadonlyMap<string, number>,
  wanted: readonly WantedChunk[],
  maxBytes: number,
): ChunkRead[] {
  const reads: ChunkRead[] = [];
  for (const chunk of wanted) {
    let at = 0;
    for (const { path, offset, length } of chunk.extents()) {
      const start = offsets.get(path);
      if (start !== undefined)
        addExtent(manifest, reads, { index: chunk.index, at, offset: start + offset, length }, maxBytes);
      at += length;
    }
  }
  return reads;
}

/** @param extent - `offset` counts from the start of all files */
function addExtent(manifest: StaticManifest, reads: ChunkRead[], extent: ReadPart, maxBytes: number): void {
  for (let done = 0; done < extent.length; ) {
    const place = extent.offset + done;
    const chunk = Math.floor(place / manifest.chunkBytes);
    const offset = place - chunk * manifest.chunkBytes;
    const chunkBytes = chunkSize(manifest, chunk);
    const last = reads.at(-1);
    const follows = last?.chunk === chunk && last.offset + last.length === offset && last.length < maxBytes;
    const read = follows ? last : { chunk, chunkBytes, offset, length: 0, parts: [] };
    if (!follows) reads.push(read);
    const length = Math.min(extent.length - done, chunkBytes - offset, maxBytes - read.length);
    if (length <= 0) return;
    read.parts.push({ index: extent.index, at: extent.at + done, offset, length });
    read.length += length;
    done += length;
  }
}
