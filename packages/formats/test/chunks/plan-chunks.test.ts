import { describe, expect, it } from '@jest/globals';
import { type ByteReader, plainCuts, planChunks } from '@model-rtc/formats';
import { CHUNK_BYTES } from '@model-rtc/protocol';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { arrayReader } from '../bytes/readers.ts';
import { filled, makeGguf, makeSafetensors, makeZip, u32, u64 } from './make-files.ts';

async function plan(bytes: Uint8Array): Promise<number[]> {
  return await planChunks(arrayReader(bytes), 'any.name');
}

function expectWhole(sizes: readonly number[], size: number): void {
  expect(sizes.reduce((sum, cut) => sum + cut, 0)).toBe(size);
  expect(sizes.filter((cut) => !(Number.isInteger(cut) && cut >= 1 && cut <= CHUNK_BYTES))).toEqual([]);
}

/** The first bytes by which a format is told, with room for counts and lengths behind them. */
const MAGICS = [
  concatBytes(u64(40), utf8ToBytes('{"')),
  concatBytes(utf8ToBytes('GGUF'), u32(3)),
  concatBytes(utf8ToBytes('GGUF'), u32(3), u64(2), u64(1)),
  concatBytes(utf8ToBytes('GGUF'), u32(2), u64(1), u64(0)),
  u32(0x04034b50),
];

/** Valid small files of each format. */
const VALID = [
  makeSafetensors([
    { name: 'a.0.w', bytes: filled(300, 1) },
    { name: 'a.1.w', bytes: filled(200, 2) },
  ]),
  makeGguf([{ name: 'blk.0.w', bytes: filled(300, 1) }], { 'general.alignment': [4, u32(32)] }),
  makeZip([
    { name: 'x/data.pkl', bytes: utf8ToBytes('\x80\x02}q\x00.') },
    { name: 'x/data/0', bytes: filled(300, 1) },
  ]),
];

describe('planChunks', () => {
  it('plans no chunk for an empty file', async () => {
    expect(await plan(new Uint8Array(0))).toEqual([]);
  });

  it('cuts a file without structure every 1 MiB', async () => {
    expect(await plan(new Uint8Array(2 * CHUNK_BYTES + 7))).toEqual([CHUNK_BYTES, CHUNK_BYTES, 7]);
  });

  it('tells a format by content, whatever the name', async () => {
    const bytes = makeSafetensors([{ name: 'w', bytes: filled(300 * 1024, 1) }]);
    expect(await planChunks(arrayReader(bytes), 'model.gguf')).toEqual([bytes.length - 300 * 1024, 300 * 1024]);
  });

  it('covers any bytes behind a valid beginning whole, without throwing', async () => {
    const bytes = fc.tuple(
      fc.constantFrom(...MAGICS),
      fc.uint8Array({ maxLength: 4096 }),
      fc.constantFrom('', 'PK\x05\x06'),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async ([magic, body, tail]) => {
        const file = concatBytes(magic, body, utf8ToBytes(tail), new Uint8Array(tail === '' ? 0 : 18));
        expectWhole(await plan(file), file.length);
      }),
      { numRuns: runs(500) },
    );
  });

  it('covers a valid file whole after any damage', async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...VALID), damage, fc.nat(), async (valid, changes, cut) => {
        const file = valid.slice();
        for (const [at, byte] of changes) file[at % file.length] = byte;
        const kept = cut % 3 === 0 ? file.subarray(0, cut % file.length) : file;
        expectWhole(await plan(kept), kept.length);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('covers tensors of any sizes whole, in each format', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(2000), fc.integer({ min: 250_000, max: 1_200_000 })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async (tensorSizes) => {
        const tensors = tensorSizes.map((size, i) => ({ name: `layers.${i >> 1}.${i}`, bytes: new Uint8Array(size) }));
        const entries = tensors.map(({ bytes }, i) => ({ name: `m/data/${i}`, bytes }));
        for (const file of [
          makeSafetensors(tensors),
          makeGguf(tensors.filter((t) => t.bytes.length > 0)),
          makeZip(entries),
        ]) {
          expectWhole(await plan(file), file.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('passes a failure of the reader on', async () => {
    const broken: ByteReader = { size: 100, read: () => Promise.reject(new Error('the disk is gone')) };
    await expect(planChunks(broken, 'x')).rejects.toThrow('the disk is gone');
  });

  it('is the same as plain cuts for text', async () => {
    const text = utf8ToBytes('{"a": 1}\n'.repeat(200_000));
    expect(await plan(text)).toEqual(plainCuts(text.length));
  });
});
