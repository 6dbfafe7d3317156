import { describe, expect, it } from '@jest/globals';
import { FloatScan } from '@model-rtc/formats/validation';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';

/** Bits of a number that is none, of one that is infinite, and of the largest one: by type, in the order of memory. */
const BITS: Readonly<
  Record<string, { readonly size: number; readonly nan: bigint; readonly infinity?: bigint; readonly most: bigint }>
> = {
  F16: { size: 2, nan: 0x7e01n, infinity: 0xfc00n, most: 0x7bffn },
  BF16: { size: 2, nan: 0xffc0n, infinity: 0x7f80n, most: 0x7f7fn },
  F32: { size: 4, nan: 0x7fc0_0000n, infinity: 0xff80_0000n, most: 0x7f7f_ffffn },
  F64: { size: 8, nan: 0x7ff0_0000_0000_0001n, infinity: 0xfff0_0000_0000_0000n, most: 0x7fef_ffff_ffff_ffffn },
  F8_E5M2: { size: 1, nan: 0x7dn, infinity: 0xfcn, most: 0x7bn },
  F8_E4M3: { size: 1, nan: 0xffn, most: 0x7en },
  F8_E8M0: { size: 1, nan: 0xffn, most: 0xfen },
  F8_E4M3FNUZ: { size: 1, nan: 0x80n, most: 0xffn },
};

function write(bytes: Uint8Array, at: number, size: number, bits: bigint): void {
  for (let i = 0; i < size; i++) bytes[at + i] = Number((bits >> BigInt(8 * i)) & 0xffn);
}

function scan(bytes: Uint8Array, spans: ConstructorParameters<typeof FloatScan>[0], blocks: readonly number[]) {
  const found = new FloatScan(spans);
  let at = 0;
  for (const length of [...blocks, bytes.length]) {
    found.update(bytes.subarray(at, Math.min(bytes.length, at + length)));
    at = Math.min(bytes.length, at + length);
  }
  return found.finish();
}

describe.each(Object.entries(BITS))('a scan of numbers of %s', (dtype, { size, nan, infinity, most }) => {
  it('counts what is none and what is infinite, wherever it lies and however the blocks are cut', () => {
    const kinds = fc.constantFrom('nan', 'infinity', 'most', 'zero');
    fc.assert(
      fc.property(
        fc.array(kinds, { maxLength: 60 }),
        fc.nat(9),
        fc.nat(7),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }),
        (numbers, before, shift, blocks) => {
          const memory = new Uint8Array(shift + before + numbers.length * size + 5).fill(0xff);
          const bytes = memory.subarray(shift);
          for (const [i, kind] of numbers.entries()) {
            const bits = kind === 'nan' ? nan : kind === 'infinity' ? (infinity ?? nan) : kind === 'most' ? most : 0n;
            write(bytes, before + i * size, size, bits);
          }
          const span = { name: 'w', dtype, start: before, bytes: numbers.length * size };
          const infinities = infinity === undefined ? 0 : numbers.filter((kind) => kind === 'infinity').length;
          const nans = numbers.filter((kind) => kind === 'nan' || kind === 'infinity').length - infinities;
          const { bad } = scan(bytes, [span], blocks);
          expect(bad).toEqual(nans + infinities === 0 ? [] : [{ name: 'w', nans, infinities }]);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('finds one in many', () => {
    const bytes = new Uint8Array(100_000 * size);
    for (let i = 0; i < 100_000; i++) write(bytes, i * size, size, most);
    write(bytes, 77_777 * size, size, nan);
    const spans = [{ name: 'w', dtype, start: 0, bytes: bytes.length }];
    expect(scan(bytes, spans, [65_536, 3])).toEqual({
      ...{ tensors: 1, bytes: bytes.length, badTensors: 1 },
      bad: [{ name: 'w', nans: 1, infinities: 0 }],
    });
  });
});

describe('a scan of several tensors', () => {
  const bytes = new Uint8Array(64);
  write(bytes, 8, 4, 0x7fc0_0000n);
  write(bytes, 40, 4, 0x7f80_0000n);

  it('names those with bad numbers in the order of the file', () => {
    const spans = [
      { name: 'c', dtype: 'F32', start: 32, bytes: 16 },
      { name: 'a', dtype: 'F32', start: 0, bytes: 16 },
      { name: 'b', dtype: 'F32', start: 16, bytes: 16 },
    ];
    expect(scan(bytes, spans, [7, 30])).toMatchObject({
      ...{ tensors: 3, bytes: 48, badTensors: 2 },
      bad: [
        { name: 'a', nans: 1, infinities: 0 },
        { name: 'c', nans: 0, infinities: 1 },
      ],
    });
  });

  it('leaves whole numbers alone, and bytes that are shared count once', () => {
    const spans = [
      { name: 'words', dtype: 'I32', start: 0, bytes: 32 },
      { name: 'a', dtype: 'F32', start: 32, bytes: 32 },
      { name: 'view', dtype: 'F32', start: 32, bytes: 16 },
    ];
    expect(scan(bytes, spans, [])).toMatchObject({ bytes: 32, bad: [{ name: 'a', nans: 0, infinities: 1 }] });
  });
});
