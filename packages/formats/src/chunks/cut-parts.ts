import { CHUNK_BYTES, OWN_CHUNK_TENSOR_BYTES } from '@model-rtc/protocol';
import { StructureError } from '../bytes/structure-error.ts';
import { MIN_BLOCK_BYTES } from '../limits.ts';
import type { Part } from '../types.ts';

interface Run {
  readonly block: string | undefined;
  readonly sizes: number[];
  total: number;
}

/** The sizes of chunks of `chunkBytes` each; the last one takes the rest. */
export function plainCuts(size: number, chunkBytes: number = CHUNK_BYTES): number[] {
  const cuts: number[] = new Array(Math.floor(size / chunkBytes)).fill(chunkBytes);
  if (size % chunkBytes > 0) cuts.push(size % chunkBytes);
  return cuts;
}

/**
 * Cuts a file on the boundaries of its parts. A part of 256 KiB or more has chunks of its own, cut every 1 MiB from its
 * start. Smaller neighbours of one block are grouped up to 1 MiB; blocks below 16 KiB are grouped with each other.
 * @throws StructureError when the parts overlap or leave the file.
 */
export function cutParts(size: number, parts: readonly Part[]): number[] {
  const cuts: number[] = [];
  let group = 0;
  const flush = () => {
    if (group > 0) cuts.push(group);
    group = 0;
  };
  for (const run of toRuns(tile(size, parts))) {
    if (run.block !== undefined && run.total < MIN_BLOCK_BYTES) {
      if (group + run.total > CHUNK_BYTES) flush();
      group += run.total;
    } else {
      flush();
      for (const cut of cutRun(run)) cuts.push(cut);
    }
  }
  flush();
  return cuts;
}

/**
 * The block of the model that a tensor belongs to, by the tensor's name: up to the first number (`model.layers.3`, `blk.0`), else the
 * module that owns it (`model.norm`). Training freezes and changes whole blocks, so a chunk that ends with its block
 * stays the same when another block is trained.
 */
export function blockOf(name: string): string {
  const words = name.split('.');
  const number = words.findIndex((word) => /^\d+$/.test(word));
  return words.slice(0, number === -1 ? -1 : number + 1).join('.');
}

/** The parts in order and the gaps between them, so that every byte of the file is in one of them. */
function tile(size: number, parts: readonly Part[]): Part[] {
  const sorted = [...parts].sort((a, b) => a.start - b.start || a.end - b.end);
  const tiles: Part[] = [];
  let at = 0;
  for (const part of sorted) {
    if (!(part.start >= at && part.end >= part.start && part.end <= size)) {
      throw new StructureError('parts overlap or leave the file');
    }
    if (part.start > at) tiles.push({ start: at, end: part.start, block: undefined });
    if (part.end > part.start) tiles.push(part);
    at = part.end;
  }
  if (at < size) tiles.push({ start: at, end: size, block: undefined });
  return tiles;
}

/** Neighbours of one block as one run; a large part is a run by itself. */
function toRuns(tiles: readonly Part[]): Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (const { start, end, block } of tiles) {
    const size = end - start;
    const alone = block === undefined || size >= OWN_CHUNK_TENSOR_BYTES;
    if (!alone && open?.block === block) {
      open.sizes.push(size);
      open.total += size;
      continue;
    }
    const run: Run = { block: size >= OWN_CHUNK_TENSOR_BYTES ? undefined : block, sizes: [size], total: size };
    runs.push(run);
    open = alone ? undefined : run;
  }
  return runs;
}

function cutRun(run: Run): number[] {
  const [only] = run.sizes;
  if (run.sizes.length === 1 && only !== undefined) return plainCuts(only);
  const cuts: number[] = [];
  let group = 0;
  for (const size of run.sizes) {
    if (group + size > CHUNK_BYTES) {
      cuts.push(group);
      group = 0;
    }
    group += size;
  }
  if (group > 0) cuts.push(group);
  return cuts;
}
