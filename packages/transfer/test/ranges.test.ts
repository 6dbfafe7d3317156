import { appendFile, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelContents } from '@model-rtc/protocol';
import fc from 'fast-check';
import { contentsKey, planLayout, type TransferProgress } from '../src/index.ts';
import { gitSha1, hubContents, lied, rangeSource, staticContents } from './support/contents.ts';
import { pullKnown } from './support/expectations.ts';
import { contentsOf, makeModel, seededBytes, type TestModel } from './support/models.ts';
import { failedPull, type PullInput, pullModel, temporaryFolder } from './support/pulling.ts';
import { memorySource, networkError } from './support/sources.ts';

const MEBI = 1024 * 1024;
const model = makeModel(
  {
    'a/large.bin': seededBytes(3 * MEBI + 100, 1),
    'b.json': Buffer.from('{"b":1}'),
    empty: Buffer.alloc(0),
    'c.bin': seededBytes(MEBI + 7, 2),
  },
  [700_000],
);
const hub = hubContents(model, 1000);
const KEY = contentsKey(hub);

const pullIt = (contents: ModelContents, options: Omit<PullInput, 'contents'>, of: TestModel = model) =>
  pullKnown(contents, options, of);

describe('a model known only by the hashes of its files', () => {
  it('comes whole, with the SHA-256 of files that only git had a hash of', async () => {
    const seen: TransferProgress[] = [];
    const source = rangeSource(model.files);
    const staging = await temporaryFolder();
    const outcome = await pullIt(hub, { staging, sources: [source], onProgress: (one) => seen.push(one) });
    expect(outcome).toMatchObject({ transferredBytes: 4 * MEBI + 114, refetchedChunks: 0 });
    expect(source.asked.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(seen.at(-1)).toMatchObject({ state: 'completed', doneBytes: 4 * MEBI + 114 });
    expect(await readdir(staging)).toEqual([KEY]);
  });

  it('comes from several sources at once, and not from those that find chunks by digests alone', async () => {
    const [one, two] = [rangeSource(model.files, { name: 'one' }), rangeSource(model.files, { name: 'two' })];
    const worker = { ...memorySource(model, { name: 'worker' }), needsDigests: true };
    await pullIt(hub, { staging: await temporaryFolder(), sources: [worker, one, two] });
    expect(worker.asked).toEqual([]);
    expect(one.asked.length).toBeGreaterThan(0);
    expect(two.asked.length).toBeGreaterThan(0);
  });

  it('goes on where an earlier run ended, verifies at the end what that brought, and keeps the lines of its journal', async () => {
    const staging = await temporaryFolder();
    let given = 0;
    const broken = rangeSource(model.files, {
      alter: (_chunk, bytes) => {
        if (given++ < 3) return bytes;
        throw networkError();
      },
    });
    expect((await failedPull(model, { staging, sources: [broken], contents: hub })).code).toBe('network');
    const lines = (await readFile(join(staging, KEY, 'journal'), 'latin1')).split('\n').filter((line) => line !== '');
    expect(lines.slice(1)).toEqual([0, 1, 2].map((id) => expect.stringMatching(`^${id} \\?[0-9a-f]{8}$`)));
    const source = rangeSource(model.files);
    const outcome = await pullIt(hub, { staging, sources: [source] });
    expect(outcome.resumedBytes).toBe(3 * MEBI);
    expect(source.asked.map(({ index }) => index)).toEqual([3, 4, 5, 6]);
  });

  it('fetches again only what the disk lost of an earlier run, as after a power cut', async () => {
    const staging = await brokenOff(3);
    const file = await open(join(staging, KEY, 'files', 'a', 'large.bin'), 'r+');
    await file.write(Buffer.alloc(4096), 0, 4096, MEBI + 5);
    await file.close();
    const source = rangeSource(model.files);
    const outcome = await pullIt(hub, { staging, sources: [source] });
    expect(source.asked.map(({ index }) => index).sort()).toEqual([1, 3, 4, 5, 6]);
    expect(outcome).toMatchObject({ resumedBytes: 2 * MEBI, refetchedChunks: 1 });
  });

  it('fetches a file again that an earlier run brought wrong', async () => {
    const staging = await brokenOff(4, lied);
    const source = rangeSource(model.files);
    await pullIt(hub, { staging, sources: [source] });
    expect(source.asked.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('does not believe lines of the journal that are torn, damaged, of other chunks or taken back', async () => {
    const staging = await brokenOff(3);
    await appendFile(join(staging, KEY, 'journal'), '1 -\n3 00000000\n4 ?0000\n9 ?00000000\n5 ?');
    const source = rangeSource(model.files);
    await pullIt(hub, { staging, sources: [source] });
    expect(source.asked.map(({ index }) => index)).toEqual([1, 3, 4, 5, 6]);
  });

  /** A staging folder where an attempt got this many ranges. */
  async function brokenOff(ranges: number, alter: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<string> {
    const staging = await temporaryFolder();
    let given = 0;
    const source = rangeSource(model.files, {
      alter: (_chunk, bytes) => {
        if (given++ < ranges) return alter(bytes);
        throw networkError();
      },
    });
    await failedPull(model, { staging, sources: [source], contents: hub });
    return staging;
  }
});

describe('a model with known digests of chunks alone', () => {
  it('comes whole though its chunks span files, with the SHA-256 of each file', async () => {
    const source = memorySource(model);
    const outcome = await pullIt(staticContents(model), { staging: await temporaryFolder(), sources: [source] });
    expect(outcome.transferredBytes).toBe(4 * MEBI + 114);
  });

  it('writes a journal like that of a manifest', async () => {
    const journals: string[] = [];
    for (const contents of [staticContents(model), contentsOf(model)]) {
      const staging = await temporaryFolder();
      const outcome = await pullModel(model, { staging, sources: [memorySource(model)], contents });
      journals.push(await readFile(join(staging, contentsKey(contents), 'journal'), 'latin1'));
      await outcome.release();
    }
    expect(journals[0]).toBe(journals[1]);
  });
});

describe('a model with some digests known', () => {
  it('comes whole, however files and chunks are cut and whatever is known of them', async () => {
    const shape = fc.record({
      sizes: fc.array(fc.nat(3000), { minLength: 1, maxLength: 6 }),
      cut: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 }),
      chunks: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      hashes: fc.array(fc.constantFrom('sha256', 'gitSha1', 'none'), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ sizes, cut, chunks, hashes }) => {
        const some = makeModel(Object.fromEntries(sizes.map((size, i) => [`f${i}`, seededBytes(size, i + size)])), cut);
        const contents: ModelContents = {
          files: some.manifest.files.map(({ path, size, sha256 }, i) => {
            const kind = hashes[i % hashes.length];
            if (kind === 'none') return { path, size };
            return kind === 'sha256'
              ? { path, size, sha256 }
              : { path, size, gitSha1: gitSha1(some.files.get(path) as Buffer) };
          }),
          chunks: some.manifest.chunks.map(({ digest, size }, i) =>
            chunks[i % chunks.length] ? { digest, size } : { size },
          ),
        };
        try {
          planLayout(contents);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_model' });
          return;
        }
        await pullIt(contents, { staging: await temporaryFolder(), sources: [rangeSource(some.files)] }, some);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps chunks with a digest of a file that came wrong, and fetches its ranges again', async () => {
    const chunks = model.manifest.chunks.map(({ digest, size }, i) =>
      i === 1 || i === 2 ? { size } : { digest, size },
    );
    const source = rangeSource(model.files, {
      alter: ({ digest }, bytes, times) => (digest === undefined && times === 1 ? lied(bytes) : bytes),
    });
    await pullIt({ ...hub, chunks }, { staging: await temporaryFolder(), sources: [source] });
    const counts = new Map<number, number>();
    for (const { index } of source.asked) counts.set(index, (counts.get(index) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 1)).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('is not installed as a digest that its files do not give', async () => {
    const options = { staging: await temporaryFolder(), sources: [rangeSource(model.files)] };
    const error = await failedPull(model, { ...options, contents: { ...hub, digest: 'f'.repeat(64) as never } });
    expect(error.code).toBe('verification_failed');
  });
});

describe('a source of ranges that lies', () => {
  const liar = (name: string) => rangeSource(model.files, { name, alter: (_chunk, bytes) => lied(bytes) });
  const honest = (name: string) => rangeSource(model.files, { name });

  it.each([0, 1, 2])('does not keep the model from coming whole from one honest one (number %i)', async (place) => {
    const sources = [liar('liar 1'), liar('liar 2')];
    sources.splice(place, 0, honest('honest'));
    const outcome = await pullIt(hub, { staging: await temporaryFolder(), sources });
    expect(outcome.refetchedChunks).toBeGreaterThan(0);
  });

  it('is given up by name, with the file, when there are only liars', async () => {
    const sources = [liar('liar 1'), liar('liar 2')];
    const error = await failedPull(model, { staging: await temporaryFolder(), sources, contents: hub });
    expect(error).toMatchObject({ code: 'verification_failed', details: { file: expect.any(String) } });
    expect(error.message).toMatch(/liar [12]/);
  });

  it('is asked once more when it is the only one', async () => {
    const file = 'a/large.bin';
    const lies = rangeSource(model.files, {
      alter: (chunk, bytes) => (chunk.extents()[0]?.path === file ? lied(bytes) : bytes),
    });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [lies], contents: hub });
    expect(error).toMatchObject({ code: 'verification_failed', details: { file, source: 'hub' } });
    expect(lies.asked.filter(({ index }) => index === 0)).toHaveLength(2);
    const mends = rangeSource(model.files, { alter: (_chunk, bytes, times) => (times === 1 ? lied(bytes) : bytes) });
    await pullIt(hub, { staging: await temporaryFolder(), sources: [mends] });
  });

  it('is dropped by name when it alone gave three wrong files', async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, seededBytes(5000, i)]));
    const many = makeModel(files, [5000]);
    const sources = [
      rangeSource(many.files, { name: 'liar', alter: (_chunk, bytes) => lied(bytes) }),
      rangeSource(many.files, { name: 'honest' }),
    ];
    const contents = hubContents(many, 1e6);
    const outcome = await pullIt(contents, { staging: await temporaryFolder(), sources }, many);
    expect(outcome.dropped).toEqual([{ name: 'liar', reason: expect.stringContaining('wrong bytes') }]);
  });
});
