import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { joinPlanes, planesEntropyBytes, splitPlanes } from '../../../src/core/compress/planes.ts';

/** Bytes at any place of their memory, for words need an aligned one. */
const anyBytes = fc
  .tuple(fc.uint8Array({ minLength: 8, maxLength: 300 }), fc.nat(7))
  .map(([bytes, start]) => bytes.subarray(start));

describe('planes of bytes', () => {
  it('have the first byte of each element first, then the second ones, then what is no whole element', () => {
    for (const [width, expected] of [
      [2, [0, 2, 4, 6, 8, 1, 3, 5, 7, 9, 10]],
      [4, [0, 4, 1, 5, 2, 6, 3, 7, 8, 9, 10]],
    ] as const) {
      const planes = new Uint8Array(11);
      splitPlanes(
        Uint8Array.from({ length: 11 }, (_, i) => i),
        width,
        planes,
      );
      expect([...planes]).toEqual(expected);
    }
  });

  it('are the same whether bytes or words are moved', () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom(2 as const, 4 as const), (bytes, width) => {
        const planes = new Uint8Array(bytes.length);
        splitPlanes(bytes, width, planes);
        const count = Math.floor(bytes.length / width);
        for (let i = 0; i < count * width; i++)
          expect(planes[(i % width) * count + Math.floor(i / width)]).toBe(bytes[i]);
      }),
      { numRuns: runs(300) },
    );
  });

  it('give the bytes back', () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom(2 as const, 4 as const), (bytes, width) => {
        const planes = new Uint8Array(bytes.length);
        const back = new Uint8Array(bytes.length);
        splitPlanes(bytes, width, planes);
        joinPlanes(planes, width, back);
        expect(back).toEqual(Uint8Array.from(bytes));
      }),
      { numRuns: runs(300) },
    );
  });

  it('are as long as their bytes are spread', () => {
    const bytes = Uint8Array.from({ length: 1026 }, (_, i) => (i % 2 === 0 ? 7 : i >> 1));
    expect(planesEntropyBytes(bytes.subarray(0, 1024), 2)).toBe(512);
    expect(planesEntropyBytes(bytes.subarray(0, 1025), 2)).toBe(513);
    expect(planesEntropyBytes(new Uint8Array(4096), 4)).toBe(0);
  });
});
