import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { convert } from '../../src/onnx/convert.ts';
import { fromFloat16, toFloat16 } from '../../src/onnx/float16.ts';
import type { Dtype, Numbers, Tensor } from '../../src/onnx/types.ts';

function tensor(dtype: Dtype, data: Numbers): Tensor {
  return { dtype, shape: [data.length], data };
}

describe('numbers of 16 bits', () => {
  it('stand for themselves, all 65,536 of them', () => {
    const isKept = (bits: number) => Number.isNaN(fromFloat16(bits)) || toFloat16(fromFloat16(bits)) === bits;
    expect(Array.from({ length: 65_536 }, (_, bits) => bits).filter((bits) => !isKept(bits))).toEqual([]);
    expect(Number.isNaN(fromFloat16(toFloat16(Number.NaN)))).toBe(true);
  });

  it('are the nearest ones', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -65_504, max: 65_504 }), (value) => {
        const bits = toFloat16(value);
        const near = [bits - 1, bits, bits + 1].map((one) => Math.abs(fromFloat16(one & 0xffff) - value));
        const others = [near[0] as number, near[2] as number].filter((one) => !Number.isNaN(one));
        expect(near[1]).toBeLessThanOrEqual(Math.min(...others));
      }),
    );
    expect(toFloat16(1 / 3)).toBe(0x3555);
    expect(toFloat16(65_519)).toBe(0x7bff);
    expect(toFloat16(65_520)).toBe(0x7c00);
    expect(toFloat16(-0)).toBe(0x8000);
  });
});

describe('converting an array for a model', () => {
  it('rounds what has no room in a floating-point type', () => {
    expect(convert(tensor('float64', Float64Array.of(0.1, 1e300)), 'float32')).toEqual(
      tensor('float32', Float32Array.of(0.1, Number.POSITIVE_INFINITY)),
    );
    expect(convert(tensor('int64', BigInt64Array.of(-3n)), 'float32')).toEqual(tensor('float32', Float32Array.of(-3)));
    expect(convert(tensor('float16', Uint16Array.of(0x3c00)), 'float32')).toEqual(
      tensor('float32', Float32Array.of(1)),
    );
    expect(convert(tensor('uint8', Uint8Array.of(1)), 'float16')).toEqual(tensor('float16', Uint16Array.of(0x3c00)));
  });

  it('keeps whole numbers whole, where all of them fit', () => {
    expect(convert(tensor('uint8', Uint8Array.of(255)), 'int64')).toEqual(tensor('int64', BigInt64Array.of(255n)));
    expect(convert(tensor('int64', BigInt64Array.of(-1n)), 'int32')).toEqual(tensor('int32', Int32Array.of(-1)));
    expect(convert(tensor('int64', BigInt64Array.of(2n ** 40n)), 'int32')).toBe(
      '1099511627776 does not fit into int32',
    );
    expect(convert(tensor('int8', Int8Array.of(-1)), 'uint64')).toBe('-1 does not fit into uint64');
    expect(convert(tensor('uint8', Uint8Array.of(2)), 'bool')).toBe('2 does not fit into bool');
  });

  it('makes no whole numbers of others', () => {
    expect(convert(tensor('float32', Float32Array.of(1)), 'int32')).toMatch(/no whole number/);
  });
});
