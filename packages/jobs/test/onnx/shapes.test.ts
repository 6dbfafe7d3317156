import { describe, expect, it } from '@jest/globals';
import { joinOutputs, joinRows, splitFeed } from '../../src/onnx/batches.ts';
import { fitShape, portText } from '../../src/onnx/fit-shape.ts';
import type { Axis, Port, Tensor } from '../../src/onnx/types.ts';

function port(shape: readonly Axis[] | undefined, name = 'x'): Port {
  return { name, dtype: 'float32', typeName: 'float32', shape };
}

function tensor(...shape: number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length }, (_, i) => i) };
}

const fit = (shape: readonly Axis[] | undefined, given: Tensor, sizes = new Map<string, number>()) =>
  fitShape(port(shape), given, 'a.npy', sizes);

describe('the shape of an array', () => {
  it.each<[readonly Axis[] | undefined, number[], number[]]>([
    [
      ['N', 16],
      [3, 16],
      [3, 16],
    ],
    [
      ['', 16],
      [0, 16],
      [0, 16],
    ],
    [['N', 16], [16], [1, 16]],
    [
      [1, 3, 'H', 'W'],
      [3, 8, 9],
      [1, 3, 8, 9],
    ],
    [[], [], []],
    [undefined, [7, 7], [7, 7]],
  ])('fits %j as %j', (shape, given, expected) => {
    expect(fit(shape, tensor(...given))).toMatchObject({ shape: expected });
  });

  it('that does not fit is told what the model takes', () => {
    expect(fit(['N', 16], tensor(3, 17))).toBe(
      'The model\'s input "x" takes float32 (N, 16), and a.npy has float32 (3, 17). Change the array to that shape; an axis with a name takes any size.',
    );
    expect(fit([2, 16], tensor(16))).toMatch(/takes float32 \(2, 16\), and a\.npy has float32 \(16,\)/);
    expect(fit(['N', 3, 8, 8], tensor(8))).toMatch(/Change the array to 4 axes/);
  });

  it('has the sizes of the other inputs where axes have the same name', () => {
    const sizes = new Map<string, number>();
    expect(fit(['N', 2], tensor(3, 2), sizes)).toMatchObject({ shape: [3, 2] });
    expect(fitShape(port(['N', 5], 'mask'), tensor(4, 5), 'mask.npy', sizes)).toMatch(
      /In this run N is 3. Make the sizes of its inputs agree/,
    );
  });

  it('is said as a person reads it', () => {
    expect(portText(port(['', 16, '', -1]))).toBe('float32 (any number, 16, any size, any size)');
    expect(portText({ ...port(undefined), dtype: undefined, typeName: 'a map or list' })).toBe('a map or list');
  });
});

describe('batches', () => {
  it('are all rows of an array, unless the model takes one at a time', () => {
    const feed = new Map([['x', tensor(3, 2)]]);
    expect(splitFeed(feed, [port(['N', 2])], undefined)).toEqual([feed]);
    const parts = splitFeed(feed, [port([1, 2])], undefined).map((part) => part.get('x'));
    expect(parts.map((part) => [part?.shape, Array.from(part?.data ?? [], Number)])).toEqual([
      [
        [1, 2],
        [0, 1],
      ],
      [
        [1, 2],
        [2, 3],
      ],
      [
        [1, 2],
        [4, 5],
      ],
    ]);
  });

  it('have so many rows as a person chose, the last one fewer', () => {
    const parts = splitFeed(
      new Map([
        ['x', tensor(5, 2)],
        ['y', tensor(5)],
      ]),
      [],
      2,
    );
    expect(parts.map((part) => [part.get('x')?.shape, part.get('y')?.shape])).toEqual([
      [[2, 2], [2]],
      [[2, 2], [2]],
      [[1, 2], [1]],
    ]);
    expect(() =>
      splitFeed(
        new Map([
          ['x', tensor(5, 2)],
          ['y', tensor(4)],
        ]),
        [],
        2,
      ),
    ).toThrow(/differ in their first axis/);
    expect(() => splitFeed(new Map([['x', tensor()]]), [], 2)).toThrow(/cannot be cut/);
  });

  it('are joined behind each other', () => {
    expect(joinRows([tensor(1, 2), tensor(2, 2)])).toEqual({
      dtype: 'float32',
      shape: [3, 2],
      data: Float32Array.of(0, 1, 0, 1, 2, 3),
    });
    expect(joinRows([tensor(1, 2), tensor(1, 3)])).toBeUndefined();
  });

  it('stay apart where a run gives another number of rows than it got', () => {
    expect(joinOutputs([tensor(1, 4), tensor(1, 4)], [1, 1])?.shape).toEqual([2, 4]);
    expect(joinOutputs([tensor(7, 6), tensor(1, 6)], [1, 1])).toBeUndefined();
    expect(joinOutputs([tensor(7, 6)], [1])?.shape).toEqual([7, 6]);
  });
});
