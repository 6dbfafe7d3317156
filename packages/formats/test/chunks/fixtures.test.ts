import { describe, expect, it } from '@jest/globals';
import { readSafetensorsHeader } from '../../src/safetensors/safetensors.ts';
import { entryDataStart, readZipDirectory } from '../../src/zip/zip-directory.ts';
import { arrayReader } from '../bytes/readers.ts';
import { readFixture } from './fixtures.ts';
import { type Chunk, chunksOf, isShared } from './sharing.ts';

const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

async function namedTensors(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const header = await readSafetensorsHeader(arrayReader(bytes));
  return new Map((header?.tensors ?? []).map(({ name, start, end }) => [name, bytes.subarray(start, end)]));
}

async function storedEntries(bytes: Uint8Array): Promise<Map<string, readonly [number, number]>> {
  const reader = arrayReader(bytes);
  const entries = new Map<string, readonly [number, number]>();
  for (const entry of (await readZipDirectory(reader))?.entries ?? []) {
    const start = await entryDataStart(reader, entry);
    entries.set(entry.name, [start, start + entry.size]);
  }
  return entries;
}

function totalBytes(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { start, end }) => sum + end - start, 0);
}

describe('a fine-tuned hub model', () => {
  it('shares the bytes of all 43 unchanged tensors with its base, though its headers grew', async () => {
    const base = SHARDS.map((name) => readFixture(`tiny-llama/${name}`));
    const tuned = SHARDS.map((name) => readFixture(`tiny-llama-tuned/${name}`));
    const known = new Set((await Promise.all(base.map(chunksOf))).flat().map(({ digest }) => digest));
    const counts = { unchanged: 0, unchangedAndShared: 0, changed: 0, changedAndShared: 0 };
    for (const [i, bytes] of tuned.entries()) {
      const before = await namedTensors(base[i] as Uint8Array);
      const chunks = await chunksOf(bytes);
      for (const { name, start, end } of (await readSafetensorsHeader(arrayReader(bytes)))?.tensors ?? []) {
        const same = Buffer.compare(before.get(name) as Uint8Array, bytes.subarray(start, end)) === 0;
        const shared = isShared(chunks, known, start, end);
        counts[same ? 'unchanged' : 'changed']++;
        if (shared) counts[same ? 'unchangedAndShared' : 'changedAndShared']++;
      }
    }
    expect(counts).toEqual({ unchanged: 43, unchangedAndShared: 43, changed: 8, changedAndShared: 0 });
  });

  it('has to be sent only its changed block and its headers', async () => {
    const known = new Set(
      (await Promise.all(SHARDS.map((name) => chunksOf(readFixture(`tiny-llama/${name}`)))))
        .flat()
        .map((c) => c.digest),
    );
    const tuned = (await Promise.all(SHARDS.map((name) => chunksOf(readFixture(`tiny-llama-tuned/${name}`))))).flat();
    const headers = 8 + 2760 + 8 + 2808;
    expect(totalBytes(tuned.filter(({ digest }) => !known.has(digest)))).toBe(295_168 + headers);
  });
});

describe('a training run that was fine-tuned with a frozen encoder', () => {
  it('shares the encoder tensors that fill a block of 16 KiB, and none of the trained ones', async () => {
    const before = await chunksOf(readFixture('good-mouse-v1/best.ckpt'));
    const known = new Set(before.map(({ digest }) => digest));
    const bytes = readFixture('good-mouse-v2/best.ckpt');
    const chunks = await chunksOf(bytes);
    const entries = await storedEntries(bytes);
    const shared = [...entries].filter(([, [start, end]]) => isShared(chunks, known, start, end)).map(([name]) => name);
    const tensors = shared.filter((name) => name.includes('/data/'));
    expect(tensors.sort()).toEqual(['best/data/2', 'best/data/3', 'best/data/4', 'best/data/5']);
  });
});

describe('the chunks of the fixtures', () => {
  it('starts each large tensor of a GGUF file in a chunk of its own', async () => {
    const sizes = (await chunksOf(readFixture('tiny-gguf/tiny-F16.gguf'))).map(({ start, end }) => end - start);
    expect(sizes).toEqual([576, 262_144, 65_536, 65_536, 65_536, 65_536, 512]);
  });

  it('cuts an HDF5 file plainly', async () => {
    const bytes = readFixture('legacy-rat-2023/best_model.h5');
    expect((await chunksOf(bytes)).map(({ end }) => end)).toEqual([bytes.length]);
  });
});
