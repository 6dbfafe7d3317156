import { describe, expect, it } from '@jest/globals';
import { type ByteReader, plainCuts, planChunks, readFileMetadata } from '@model-rtc/formats';
import { readSafetensorsHeader } from '../../src/safetensors/safetensors.ts';
import { arrayReader, sparseReader } from '../bytes/readers.ts';
import { filled, makeSafetensors, safetensorsOf, u64 } from '../chunks/make-files.ts';
import { chunksOf } from '../chunks/sharing.ts';

const KIB = 1024;

async function plan(reader: ByteReader): Promise<number[]> {
  return await planChunks(reader, 'model.safetensors');
}

describe('a safetensors file', () => {
  it('has its header and each large tensor in chunks of their own', async () => {
    const tensors = [300 * KIB, 2048 * KIB, 10 * KIB, 20 * KIB].map((size, i) => ({
      name: `layers.${i}.weight`,
      bytes: filled(size, i),
    }));
    const bytes = makeSafetensors(tensors, { format: 'pt' });
    const header = bytes.length - 2378 * KIB;
    expect(await plan(arrayReader(bytes))).toEqual([header, 300 * KIB, 1024 * KIB, 1024 * KIB, 10 * KIB, 20 * KIB]);
  });

  it('keeps every tensor chunk when its header grows', async () => {
    const tensors = [400, 30, 40, 900].map((kib, i) => ({ name: `l.${i}.w`, bytes: filled(kib * KIB, i) }));
    const before = await chunksOf(makeSafetensors(tensors));
    const after = await chunksOf(makeSafetensors(tensors, { note: 'longer by some bytes' }));
    expect(after.slice(1).map(({ digest }) => digest)).toEqual(before.slice(1).map(({ digest }) => digest));
    expect(after[0]?.digest).not.toBe(before[0]?.digest);
  });

  it('takes tensors in the order of their offsets, however the header lists them', async () => {
    const header = '{"b":{"data_offsets":[300000,600000]},"a":{"data_offsets":[0,300000]}}';
    const bytes = safetensorsOf(header, new Uint8Array(600_000));
    expect(await plan(arrayReader(bytes))).toEqual([8 + header.length, 300_000, 300_000]);
  });

  it.each([
    ['is not JSON', '{"a":'],
    ['is a list', '[]'.padStart(3, '{')],
    ['has overlapping tensors', '{"a":{"data_offsets":[0,400000]},"b":{"data_offsets":[300000,600000]}}'],
    ['has a tensor beyond the end', '{"a":{"data_offsets":[0,600001]}}'],
    ['has a tensor that ends before it starts', '{"a":{"data_offsets":[10,9]}}'],
    ['has a negative offset', '{"a":{"data_offsets":[-1,9]}}'],
    ['has a fraction', '{"a":{"data_offsets":[0.5,9]}}'],
    ['has an offset beyond exact numbers', '{"a":{"data_offsets":[0,1e300]}}'],
    ['has text for offsets', '{"a":{"data_offsets":["0","9"]}}'],
    ['has a tensor without offsets', '{"a":{"shape":[1]}}'],
    ['has null for a tensor', '{"a":null}'],
    ['nests without end', `{"a":${'['.repeat(100_000)}`],
  ])('is cut plainly when its header %s', async (_, header) => {
    const bytes = safetensorsOf(header, new Uint8Array(600_000));
    expect(await plan(arrayReader(bytes))).toEqual(plainCuts(bytes.length));
  });

  it('is cut plainly, unread, when its header claims to be huge', async () => {
    const size = 5 * 1024 ** 3;
    const start = new Uint8Array([...u64(4 * 1024 ** 3 - 1), 0x7b]);
    const reader = sparseReader(size, [[0, start]]);
    expect(await plan(reader)).toEqual(plainCuts(size));
    expect(reader.readBytes).toBeLessThan(64 * KIB);
  });

  it('is cut plainly when it has more tensors than any model', async () => {
    const header = `{${Array.from({ length: 140_000 }, (_, i) => `"${i}":{"data_offsets":[0,0]}`).join()}}`;
    const bytes = safetensorsOf(header, new Uint8Array(10));
    expect(await plan(arrayReader(bytes))).toEqual(plainCuts(bytes.length));
  });

  it('tells its tensors and the texts of its metadata', async () => {
    const bytes = makeSafetensors([{ name: 'w', bytes: filled(4, 1) }], { fine_tuned_from: 'base', epoch: 3 });
    const header = await readSafetensorsHeader(arrayReader(bytes));
    expect(header?.metadata).toEqual({ fine_tuned_from: 'base' });
    expect(header?.tensors).toEqual([
      { name: 'w', start: bytes.length - 4, end: bytes.length, dtype: 'U8', shape: [4] },
    ]);
    const metadata = await readFileMetadata(arrayReader(bytes));
    expect(metadata?.format).toBe('safetensors');
    expect(metadata?.values.get('fine_tuned_from')).toBe('base');
  });

  it('has no metadata when it is broken', async () => {
    expect(await readFileMetadata(arrayReader(safetensorsOf('{"a":', new Uint8Array(20))))).toBeUndefined();
  });
});
