import { describe, expect, it } from '@jest/globals';
import { type ByteReader, plainCuts, planChunks, readFileMetadata } from '@model-rtc/formats';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { readGgufHeader } from '../../src/gguf/gguf.ts';
import { arrayReader, sparseReader } from '../bytes/readers.ts';
import { filled, type GgufValue, ggufText, makeGguf, u16, u32, u64 } from '../chunks/make-files.ts';
import { chunksOf } from '../chunks/sharing.ts';

const KIB = 1024;
const TENSORS = [300, 1500, 40, 50].map((kib, i) => ({ name: `blk.${i}.w`, bytes: filled(kib * KIB, i) }));
const SMALL = [{ name: 'blk.0.w', bytes: filled(300 * KIB, 0) }];
const TENSOR_CUTS = [300 * KIB, 1024 * KIB, 476 * KIB, 40 * KIB, 50 * KIB];

async function plan(reader: ByteReader): Promise<number[]> {
  return await planChunks(reader, 'model.gguf');
}

/** A value of every type, with arrays of texts and numbers. */
const EVERY_TYPE: Record<string, GgufValue> = {
  u8: [0, Uint8Array.of(200)],
  i8: [1, Uint8Array.of(0xff)],
  u16: [2, u16(60_000)],
  i16: [3, u16(0xffff)],
  u32: [4, u32(4_000_000_000)],
  i32: [5, u32(0xffff_fffe)],
  f32: [6, new Uint8Array(new Float32Array([1.5]).buffer)],
  bool: [7, Uint8Array.of(1)],
  text: [8, ggufText('llama')],
  tokens: [9, concatBytes(u32(8), u64(3), ggufText('a'), ggufText(''), ggufText('c'))],
  scores: [9, concatBytes(u32(6), u64(2), new Uint8Array(8))],
  u64: [10, u64(2 ** 40)],
  i64: [11, u64(2n ** 64n - 5n)],
  f64: [12, new Uint8Array(new Float64Array([0.1]).buffer)],
  long: [8, ggufText('x'.repeat(5000))],
};

describe('a GGUF file', () => {
  it.each([
    [2, 32],
    [3, 32],
    [3, 64],
    [3, 4096],
  ])('of version %i, aligned to %i, is cut where its tensors start', async (version, alignment) => {
    const bytes = makeGguf(TENSORS, { 'general.alignment': [4, u32(alignment)] }, { version, alignment });
    const padding = (alignment - ((50 * KIB) % alignment)) % alignment;
    const cuts = [...TENSOR_CUTS.slice(0, -1), 50 * KIB + padding];
    const header = bytes.length - cuts.reduce((sum, cut) => sum + cut, 0);
    expect(await plan(arrayReader(bytes))).toEqual([header, ...cuts]);
  });

  it('keeps every tensor chunk when its metadata grows', async () => {
    const before = await chunksOf(makeGguf(TENSORS));
    const after = await chunksOf(makeGguf(TENSORS, EVERY_TYPE));
    expect(after.slice(1).map(({ digest }) => digest)).toEqual(before.slice(1).map(({ digest }) => digest));
  });

  it('gives its scalars and shorter texts of every type', async () => {
    const metadata = await readFileMetadata(arrayReader(makeGguf(TENSORS, EVERY_TYPE)));
    expect(Object.fromEntries(metadata?.values ?? [])).toEqual({
      u8: 200,
      i8: -1,
      u16: 60_000,
      i16: -1,
      u32: 4_000_000_000,
      i32: -2,
      f32: 1.5,
      bool: true,
      text: 'llama',
      u64: 2 ** 40,
      i64: -5,
      f64: 0.1,
    });
  });

  it('reads a header that is longer than its window', async () => {
    const tokens = Array.from({ length: 50_000 }, (_, i) => ggufText(`token ${i}`));
    const values: Record<string, GgufValue> = { tokens: [9, concatBytes(u32(8), u64(50_000), ...tokens)] };
    const header = await readGgufHeader(arrayReader(makeGguf(TENSORS, values)));
    expect(header?.tensors.map(({ name }) => name)).toEqual(['blk.0.w', 'blk.1.w', 'blk.2.w', 'blk.3.w']);
  });

  it.each<[string, Uint8Array]>([
    ['has an unknown version', makeGguf(SMALL, {}, { version: 4 })],
    ['is big-endian', makeGguf(SMALL, {}, { version: 0x0300_0000 })],
    ['has an unknown value type', makeGguf(SMALL, { x: [13, u32(0)] })],
    ['has an array of arrays', makeGguf(SMALL, { x: [9, concatBytes(u32(9), u64(1))] })],
    ['has an array beyond any file', makeGguf(SMALL, { x: [9, concatBytes(u32(12), u64(2n ** 63n))] })],
    ['has a list of endless texts', makeGguf(SMALL, { x: [9, concatBytes(u32(8), u64(2n ** 52n))] })],
    ['has a text beyond the end', makeGguf(SMALL, { x: [8, u64(2 ** 40)] })],
    ['has an alignment of 0', makeGguf(SMALL, { 'general.alignment': [4, u32(0)] })],
    ['has an alignment of text', makeGguf(SMALL, { 'general.alignment': [8, ggufText('32')] })],
    ['has an alignment beyond the file', makeGguf(SMALL, { 'general.alignment': [4, u32(0xffff_ffff)] })],
  ])('is cut plainly when it %s', async (_, bytes) => {
    expect(await plan(arrayReader(bytes))).toEqual(plainCuts(bytes.length));
  });

  it('is cut plainly when two tensors start at one place', async () => {
    const [first, second] = [u64(0), u64(0)].map((offset, i) =>
      concatBytes(ggufText(`t${i}`), u32(1), u64(300_000), u32(24), offset),
    ) as [Uint8Array, Uint8Array];
    const head = concatBytes(utf8ToBytes('GGUF'), u32(3), u64(2), u64(0), first, second);
    const bytes = concatBytes(head, new Uint8Array(600_000));
    expect(await plan(arrayReader(bytes))).toEqual(plainCuts(bytes.length));
  });

  it('is cut plainly, hardly read, when it claims a million entries', async () => {
    const size = 5 * 1024 ** 3;
    const reader = sparseReader(size, [[0, concatBytes(utf8ToBytes('GGUF'), u32(3), u64(1_000_000), u64(1))]]);
    expect(await plan(reader)).toEqual(plainCuts(size));
    expect(reader.readBytes).toBeLessThan(1024 * KIB);
  });

  it('is read no further than a header may be long', async () => {
    const size = 5 * 1024 ** 3;
    const start = concatBytes(utf8ToBytes('GGUF'), u32(3), u64(1), u64(1), ggufText('x'), u32(9), u32(8), u64(2 ** 40));
    const zeros = sparseReader(size, [[0, start]]);
    // Texts of 248 bytes without end: every 256 bytes their length comes again.
    const endless: ByteReader = {
      size,
      async read(offset, length) {
        const bytes = await zeros.read(offset, length);
        const first = start.length + Math.ceil(Math.max(0, offset - start.length) / 256) * 256;
        for (let at = first; at < offset + length; at += 256) bytes[at - offset] = 248;
        return bytes;
      },
    };
    expect(await plan(endless)).toEqual(plainCuts(size));
    expect(zeros.readBytes).toBeGreaterThan(60 * 1024 * KIB);
    expect(zeros.readBytes).toBeLessThan(80 * 1024 * KIB);
  });
});
