import type { Feed } from './batches.ts';
import { makeNumbers } from './dtypes.ts';
import { isOpen } from './fit-shape.ts';
import { toFloat16 } from './float16.ts';
import { MAX_TENSOR_BYTES } from './limits.ts';
import type { Axis, Dtype, Port, Tensor } from './types.ts';

/** Numbers in one input; fixed sizes beyond it are not tried. */
const MAX_NUMBERS = MAX_TENSOR_BYTES / 8;
/** Axes of any size are tried with these, in this order: words of a text are few, pixels of an image many. */
export const OPEN_SIZES = [8, 64, 224] as const;

/**
 * Inputs of no meaning that a model takes by the shapes that it declares.
 * @param size - of axes that take any size; batches have one sample, and nothing is remembered of before
 * @returns why there are none, as the end of a sentence
 */
export function trialInputs(ports: readonly Port[], size: number): Feed | string {
  const random = generator();
  const feed = new Map<string, Tensor>();
  for (const { name, dtype, typeName, shape } of ports) {
    if (dtype === undefined) return `its input "${name}" takes ${typeName}`;
    if (shape === undefined) return `its input "${name}" has no declared shape`;
    const sides = shape.map((axis, i) => sideOf(axis, i, size));
    const count = sides.reduce((product, side) => product * side, 1);
    if (!(count <= MAX_NUMBERS)) return `its input "${name}" takes too many numbers`;
    feed.set(name, { dtype, shape: sides, data: numbersFor(name, dtype, count, random) });
  }
  return feed;
}

/** `past_sequence_length + 1` is the sum of its parts. */
function sideOf(axis: Axis, index: number, size: number): number {
  if (!isOpen(axis)) return axis as number;
  const parts = String(axis)
    .split('+')
    .map((part) => part.trim());
  return parts.reduce((sum, part) => sum + partOf(part, index, size), 0);
}

function partOf(name: string, index: number, size: number): number {
  if (/^\d{1,6}$/.test(name)) return Number(name);
  if (/past/i.test(name)) return 0;
  if (/batch|num_images/i.test(name) || (index === 0 && !/sequence|length/i.test(name))) return 1;
  return size;
}

/** Words and masks are whole numbers, which must be within what the model knows; most models know 0 and 1. */
function numbersFor(name: string, dtype: Dtype, count: number, random: () => number): Tensor['data'] {
  const data = makeNumbers(dtype, count);
  const whole = (i: number): number => {
    if (dtype === 'bool' || /type/i.test(name)) return 0;
    if (/mask/i.test(name)) return 1;
    return /position/i.test(name) ? i : Math.round(random());
  };
  for (let i = 0; i < count; i++) {
    if (dtype === 'float32' || dtype === 'float64') data[i] = random();
    else if (dtype === 'float16') data[i] = toFloat16(random());
    else
      data[i] = (
        data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(whole(i)) : whole(i)
      ) as never;
  }
  return data;
}

/** The same numbers each time, from 0 to 1. Source: Numerical Recipes, linear congruential generators. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
