import type { Side, Slab } from './slabs.ts';
import type { TensorSource } from './types.ts';

/** The most that is read at once to gather items out of it. */
const GATHERED_BYTES = 16 * 1024 * 1024;
/** One reading costs as much as so many bytes. */
const CHEAP_BYTES = 16 * 1024;
/** Reading this many times as much as is needed costs less than further readings. */
const WASTE = 4;

/** What all slabs of a file are gathered in, one after the other. */
export interface Scratch {
  window?: Uint8Array | undefined;
}

/** A part of a slab, with its sides from the longest steps in the old file to the shortest. */
interface Part {
  readonly start: number;
  readonly at: number;
  readonly sides: readonly Side[];
}

/**
 * Gathers the items of a slab, in the order in which they lie in the old file. What lies close is read at once; what is far apart
 * is read piece by piece, so that no more than `GATHERED_BYTES` are ever held.
 */
export async function gather(slab: Slab, target: Uint8Array, source: TensorSource, scratch: Scratch): Promise<void> {
  const { itemBytes, start } = slab;
  const window = windowOf(scratch, Math.min(GATHERED_BYTES, spanOf(slab.sides, itemBytes)));
  const waiting: Part[] = [{ start, at: 0, sides: slab.sides.toSorted((a, b) => b.step - a.step) }];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const span = spanOf(part.sides, itemBytes);
    const items = part.sides.reduce((product, { count }) => product * count, 1);
    const isClose = span <= Math.max(CHEAP_BYTES, WASTE * items * itemBytes);
    if (part.sides.length === 0 || (span <= window.length && isClose)) {
      const bytes = window.subarray(0, span);
      await source.readInto(bytes, part.start);
      scatter(bytes, target, part, itemBytes);
    } else waiting.push(...halves(part));
  }
}

function windowOf(scratch: Scratch, bytes: number): Uint8Array {
  if (scratch.window === undefined || scratch.window.length < bytes) scratch.window = new Uint8Array(bytes);
  return scratch.window;
}

/** From the first byte to behind the last one. */
function spanOf(sides: readonly Side[], itemBytes: number): number {
  return sides.reduce((span, { count, step }) => span + (count - 1) * step, itemBytes);
}

/** The second half first, since the last one is taken next. */
function halves({ start, at, sides }: Part): Part[] {
  const [longest, ...rest] = sides as [Side, ...Side[]];
  const first = Math.floor(longest.count / 2);
  const part = (from: number, count: number): Part => ({
    start: start + from * longest.step,
    at: at + from * longest.newStep,
    sides: count === 1 ? rest : [{ ...longest, count }, ...rest],
  });
  return [part(first, longest.count - first), part(0, first)];
}

type Items = Uint8Array | Uint16Array | Uint32Array;

/** Puts the items of a part where they belong. As integers: a number that is none would lose its bits as a float. */
function scatter(bytes: Uint8Array, target: Uint8Array, { at, sides }: Part, itemBytes: number): void {
  // Items of eight bytes are moved as two of four.
  const width = Math.min(4, itemBytes);
  const item = { count: itemBytes / width, step: width, newStep: width };
  const all = item.count > 1 || sides.length === 0 ? [...sides, item] : sides;
  const inItems = all.map(({ count, step, newStep }) => [count, step / width, newStep / width] as const);
  const isAligned = target.byteOffset % width === 0;
  const view = isAligned ? target : target.slice();
  copyItems(itemsOf(bytes, width), 0, itemsOf(view, width), at / width, inItems, 0);
  if (!isAligned) target.set(view);
}

function itemsOf({ buffer, byteOffset, byteLength }: Uint8Array, width: number): Items {
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

type Steps = readonly (readonly [count: number, step: number, newStep: number])[];

function copyItems(from: Items, start: number, to: Items, at: number, sides: Steps, depth: number): void {
  const [count, step, newStep] = sides[depth] as Steps[number];
  if (depth < sides.length - 1) {
    for (let i = 0; i < count; i++) copyItems(from, start + i * step, to, at + i * newStep, sides, depth + 1);
    return;
  }
  for (let i = 0; i < count; i++) to[at + i * newStep] = from[start + i * step] as number;
}
