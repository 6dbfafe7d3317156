import type { Dtype, Numbers, Tensor } from './types.ts';

interface DtypeFacts {
  readonly bytes: number;
  /** As a .npy file names it, without its byte order. */
  readonly npy: string;
  readonly make: (buffer: ArrayBuffer, offset: number, length: number) => Numbers;
}

const FACTS: Readonly<Record<Dtype, DtypeFacts>> = {
  bool: { bytes: 1, npy: 'b1', make: (...at) => new Uint8Array(...at) },
  int8: { bytes: 1, npy: 'i1', make: (...at) => new Int8Array(...at) },
  uint8: { bytes: 1, npy: 'u1', make: (...at) => new Uint8Array(...at) },
  int16: { bytes: 2, npy: 'i2', make: (...at) => new Int16Array(...at) },
  uint16: { bytes: 2, npy: 'u2', make: (...at) => new Uint16Array(...at) },
  int32: { bytes: 4, npy: 'i4', make: (...at) => new Int32Array(...at) },
  uint32: { bytes: 4, npy: 'u4', make: (...at) => new Uint32Array(...at) },
  int64: { bytes: 8, npy: 'i8', make: (...at) => new BigInt64Array(...at) },
  uint64: { bytes: 8, npy: 'u8', make: (...at) => new BigUint64Array(...at) },
  float16: { bytes: 2, npy: 'f2', make: (...at) => new Uint16Array(...at) },
  float32: { bytes: 4, npy: 'f4', make: (...at) => new Float32Array(...at) },
  float64: { bytes: 8, npy: 'f8', make: (...at) => new Float64Array(...at) },
};

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(FACTS, name);
}

export function bytesOf(dtype: Dtype): number {
  return FACTS[dtype].bytes;
}

/** The type that a .npy file calls `f4` and so on; undefined for one that no tensor has, such as complex numbers. */
export function dtypeOfNpy(code: string): Dtype | undefined {
  return (Object.keys(FACTS) as Dtype[]).find((dtype) => FACTS[dtype].npy === code);
}

/** What a .npy file calls it, with the byte order of little-endian machines. */
export function npyCode(dtype: Dtype): string {
  const { npy, bytes } = FACTS[dtype];
  return `${bytes === 1 ? '|' : '<'}${npy}`;
}

/** New memory for so many numbers, all 0. */
export function makeNumbers(dtype: Dtype, length: number): Numbers {
  return FACTS[dtype].make(new ArrayBuffer(length * bytesOf(dtype)), 0, length);
}

/** The numbers in memory that begins where they begin, without a copy. */
export function numbersIn(dtype: Dtype, buffer: ArrayBuffer): Numbers {
  return FACTS[dtype].make(buffer, 0, buffer.byteLength / bytesOf(dtype));
}

/** How many numbers a tensor of this shape has. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** As numpy prints it: `float32 (3, 16)`. */
export function tensorText({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): string {
  return `${dtype} ${shapeText(shape)}`;
}

export function shapeText(shape: readonly (number | string)[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}
