import type { TensorCopy } from './types.ts';

/** A side of a tensor. */
export interface Side {
  readonly count: number;
  /** From one item of the side to the next, in bytes of the old file. */
  readonly step: number;
  /** The same in the new file. */
  readonly newStep: number;
}

/** A box of a tensor whose items follow each other in the new file. */
export interface Slab {
  readonly itemBytes: number;
  /** Where its first item is in the old file. */
  readonly start: number;
  readonly sides: readonly Side[];
  readonly bytes: number;
}

type Strided = Pick<TensorCopy, 'shape' | 'stride' | 'itemBytes' | 'start' | 'bytes'>;

/** Whether the items lie in the old file as they do in the new one. */
export function isContiguous({ shape, stride }: Pick<Strided, 'shape' | 'stride'>): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const count = shape[i] as number;
    if (count !== 1 && stride[i] !== step) return false;
    step *= count;
  }
  return true;
}

/** A tensor as slabs of at most `maxBytes`, in their order; an item is never divided. */
export function* slabsOf(tensor: Strided, maxBytes: number): Generator<Slab> {
  const { itemBytes, start, bytes } = tensor;
  yield* divided({ itemBytes, start, bytes, sides: sidesOf(tensor) }, maxBytes);
}

/** Without those of one item, and with neighbours joined that make one run in both files. */
function sidesOf({ shape, stride, itemBytes }: Strided): Side[] {
  const sides: Side[] = [];
  let newStep = itemBytes;
  for (let i = shape.length - 1; i >= 0; i--) {
    const count = shape[i] as number;
    const step = (stride[i] as number) * itemBytes;
    const inner = sides[0];
    if (count === 1) continue;
    if (inner !== undefined && step === inner.step * inner.count) sides[0] = { ...inner, count: count * inner.count };
    else sides.unshift({ count, step, newStep });
    newStep *= count;
  }
  return sides;
}

function* divided(slab: Slab, maxBytes: number): Generator<Slab> {
  const [outer, ...inner] = slab.sides;
  if (slab.bytes <= maxBytes || outer === undefined) {
    yield slab;
    return;
  }
  const innerBytes = outer.newStep;
  const atOnce = Math.max(1, Math.floor(maxBytes / innerBytes));
  for (let i = 0; i < outer.count; i += atOnce) {
    const count = Math.min(atOnce, outer.count - i);
    const start = slab.start + i * outer.step;
    const sides = count === 1 ? inner : [{ ...outer, count }, ...inner];
    yield* divided({ ...slab, start, sides, bytes: count * innerBytes }, maxBytes);
  }
}
