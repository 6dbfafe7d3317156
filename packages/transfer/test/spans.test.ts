import { readdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Digest, ModelContents } from '@model-rtc/protocol';
import fc from 'fast-check';
import { contentsKey, planLayout } from '../src/index.ts';
import { hubContents, lied, rangeSource, spannedContents } from './support/contents.ts';
import { pullKnown } from './support/expectations.ts';
import { makeModel, seededBytes, type TestModel } from './support/models.ts';
import { failedPull, type PullInput, temporaryFolder } from './support/pulling.ts';
import { memorySource, networkError } from './support/sources.ts';

const MEBI = 1024 * 1024;
const SPAN = 2.5 * MEBI;
const repeated = seededBytes(SPAN, 9);
const model = makeModel(
  {
    'a/large.bin': Buffer.concat([repeated, seededBytes(SPAN, 1), repeated.subarray(0, MEBI)]),
    empty: Buffer.alloc(0),
    'b.bin': Buffer.concat([repeated.subarray(MEBI), seededBytes(SPAN + 300, 2)]),
  },
  [700_000],
);
const spanned = spannedContents(model, SPAN);
const KEY = contentsKey(spanned);

const pullIt = (contents: ModelContents, options: Omit<PullInput, 'contents'>, of: TestModel = model) =>
  pullKnown(contents, options, of);

describe('a model known only by digests of spans that are longer than a chunk', () => {
  it('comes whole in parts of one mebibyte, and a span that it has twice comes once', async () => {
    const [source, staging] = [rangeSource(model.files), await temporaryFolder()];
    const outcome = await pullIt(spanned, { staging, sources: [source] });
    expect(outcome).toMatchObject({ transferredBytes: 3 * SPAN + 300, reusedBytes: SPAN, refetchedChunks: 0 });
    expect(Math.max(...source.asked.map(({ size }) => size))).toBe(MEBI);
    expect(await readdir(staging)).toEqual([KEY]);
  });

  it('comes from several sources at once, and not from those that find chunks by digests alone', async () => {
    const [one, two] = [rangeSource(model.files, { name: 'one' }), rangeSource(model.files, { name: 'two' })];
    const worker = { ...memorySource(model, { name: 'worker' }), needsDigests: true };
    await pullIt(spanned, { staging: await temporaryFolder(), sources: [worker, one, two] });
    expect(worker.asked.filter(({ digest }) => digest === undefined)).toEqual([]);
    expect([one, two].every(({ asked }) => asked.length > 0)).toBe(true);
  });

  it('goes on in the middle of a span where an earlier run ended', async () => {
    const staging = await temporaryFolder();
    let given = 0;
    const broken = rangeSource(model.files, {
      alter: (_chunk, bytes) => {
        if (given++ < 4) return bytes;
        throw networkError();
      },
    });
    expect((await failedPull(model, { staging, sources: [broken], contents: spanned })).code).toBe('network');
    const source = rangeSource(model.files);
    const outcome = await pullIt(spanned, { staging, sources: [source] });
    expect(source.asked.map(({ index }) => index)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(outcome.resumedBytes).toBe(2 * SPAN + MEBI);
  });

  it('comes whole however files and spans are cut', async () => {
    const size = fc.integer({ min: 0, max: 3 * MEBI });
    const shape = fc.record({
      sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
      span: fc.integer({ min: MEBI / 2, max: 4 * MEBI }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ sizes, span }) => {
        const some = makeModel(Object.fromEntries(sizes.map((bytes, i) => [`f${i}`, seededBytes(bytes, i)])), [MEBI]);
        const source = rangeSource(some.files);
        await pullIt(spannedContents(some, span), { staging: await temporaryFolder(), sources: [source] }, some);
      }),
      { numRuns: 10 },
    );
  });

  it('is refused when its files have other hashes than right spans give', async () => {
    const [first, ...rest] = spanned.files as [ModelContents['files'][number], ...ModelContents['files']];
    const contents = { ...spanned, files: [{ ...first, sha256: 'f'.repeat(64) as Digest }, ...rest] };
    const options = { staging: await temporaryFolder(), sources: [rangeSource(model.files)], contents };
    expect(await failedPull(model, options)).toMatchObject({
      code: 'verification_failed',
      details: { file: 'a/large.bin' },
    });
  });

  it('is refused when its spans are not as long as its files, or one digest has two sizes', () => {
    const [first, second, ...rest] = spanned.spans as NonNullable<ModelContents['spans']>;
    const lists = [rest, [first, { ...second, digest: first?.digest, size: 1_200_000 }, ...rest]];
    for (const spans of lists) {
      expect(() => planLayout({ ...spanned, spans } as ModelContents)).toThrow(/does not describe the model/);
    }
  });
});

describe('a source that lies about spans', () => {
  it('is found out by the span, and does not keep the model from coming whole from an honest one', async () => {
    const liar = rangeSource(model.files, { name: 'liar', alter: (_chunk, bytes) => lied(bytes) });
    for (const sources of [
      [liar, rangeSource(model.files)],
      [rangeSource(model.files), liar],
    ]) {
      const outcome = await pullIt(spanned, { staging: await temporaryFolder(), sources });
      expect(outcome.refetchedChunks).toBeGreaterThan(0);
    }
  });

  it('is asked once more when it is the only one, then given up by name', async () => {
    const lies = rangeSource(model.files, { name: 'liar', alter: (_chunk, bytes) => lied(bytes) });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [lies], contents: spanned });
    expect(error).toMatchObject({ code: 'verification_failed', details: { source: 'liar' } });
    const mends = rangeSource(model.files, { alter: (_chunk, bytes, times) => (times === 1 ? lied(bytes) : bytes) });
    await pullIt(spanned, { staging: await temporaryFolder(), sources: [mends] });
  });
});

describe('a model that one source knows by chunks and another by spans', () => {
  const { chunks } = model.manifest;

  it('comes by its chunks, and its spans are checked at the end', async () => {
    const worker = { ...memorySource(model, { name: 'worker' }), needsDigests: true };
    await pullIt({ ...spanned, chunks }, { staging: await temporaryFolder(), sources: [worker] });
    expect(worker.asked.every(({ digest }) => digest !== undefined)).toBe(true);
  });

  it('is refused when the chunks are those of another model with as long files', async () => {
    const other = makeModel(
      Object.fromEntries([...model.files].map(([path, bytes], i) => [path, seededBytes(bytes.length, 50 + i)])),
      [700_000],
    );
    const contents = { ...spanned, chunks: other.manifest.chunks };
    const options = { staging: await temporaryFolder(), sources: [memorySource(other)], contents };
    const error = await failedPull(other, options);
    expect(error.code).toBe('verification_failed');
    expect(error.message).toContain('different models');
  });

  it('has another key and another list than with other spans', () => {
    const others = spannedContents(model, SPAN / 2);
    expect(new Set([spanned, others, hubContents(model, 1)].map((each) => contentsKey(each))).size).toBe(3);
    expect(planLayout({ ...spanned, chunks }).listHash).not.toBe(planLayout({ ...others, chunks }).listHash);
  });
});
