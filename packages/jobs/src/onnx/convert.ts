import { makeNumbers } from './dtypes.ts';
import { fromFloat16, toFloat16 } from './float16.ts';
import type { Dtype, Tensor } from './types.ts';

const FLOATS: ReadonlySet<Dtype> = new Set(['float16', 'float32', 'float64']);
const RANGES: Readonly<Partial<Record<Dtype, readonly [low: number, high: number]>>> = {
  bool: [0, 1],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
};
const BIG_RANGES: Readonly<Partial<Record<Dtype, readonly [low: bigint, high: bigint]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * The same numbers in another type: whole numbers where all of them fit, and any number as a floating-point one, rounded where
 * it has no room.
 * @returns a sentence's end that says why not, when it would change the numbers
 */
export function convert(tensor: Tensor, dtype: Dtype): Tensor | string {
  if (tensor.dtype === dtype) return tensor;
  const { shape, data } = tensor;
  const result = makeNumbers(dtype, data.length);
  if (FLOATS.has(dtype)) {
    for (let i = 0; i < data.length; i++) result[i] = fromNumber(dtype, numberAt(tensor, i)) as never;
    return { dtype, shape, data: result };
  }
  if (FLOATS.has(tensor.dtype)) return 'a number with a fraction is no whole number';
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number | bigint;
    if (!fits(value, dtype)) return `${value} does not fit into ${dtype}`;
    result[i] = (dtype in BIG_RANGES ? BigInt(value) : Number(value)) as never;
  }
  return { dtype, shape, data: result };
}

/** One of its numbers, as JavaScript counts. Whole numbers beyond 2^53 are rounded. */
export function numberAt({ dtype, data }: Tensor, index: number): number {
  const value = data[index] as number | bigint;
  return dtype === 'float16' ? fromFloat16(value as number) : Number(value);
}

function fromNumber(dtype: Dtype, value: number): number {
  return dtype === 'float16' ? toFloat16(value) : value;
}

function fits(value: number | bigint, dtype: Dtype): boolean {
  const [low, high] = RANGES[dtype] ?? BIG_RANGES[dtype] ?? [0, 0];
  return value >= low && value <= high;
}
