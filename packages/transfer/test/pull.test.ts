import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TransferProgress } from '../src/index.ts';
import { expectFiles } from './support/expectations.ts';
import { makeFileModel, makeModel, seededBytes } from './support/models.ts';
import { failedPull, localModels, pullModel, temporaryFolder } from './support/pulling.ts';
import { memorySource } from './support/sources.ts';

describe('pull', () => {
  it('brings every file of a model, with empty ones, folders, and chunks that span files', async () => {
    const model = makeModel(
      {
        'a.bin': seededBytes(10_000, 1),
        'empty first.txt': Buffer.alloc(0),
        'deep/er/näme: x.bin': seededBytes(70_001, 2),
        'deep/tiny': seededBytes(1, 3),
        'deep/empty': Buffer.alloc(0),
        'z/last': seededBytes(333, 4),
      },
      [4096, 9000, 1],
    );
    const staging = await temporaryFolder();
    const outcome = await pullModel(model, { staging, sources: [memorySource(model, { pieceBytes: 1000 })] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome).toMatchObject({ transferredBytes: 80_335, reusedBytes: 0, resumedBytes: 0, refetchedChunks: 0 });
    await outcome.release();
  });

  it('makes no file executable, and lets nobody else write', async () => {
    const model = makeModel({ run: Buffer.from('#!') }, [100], 0o777);
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [memorySource(model)] });
    expect((await stat(join(outcome.filesFolder, 'run'))).mode & 0o777).toBe(0o644);
    await outcome.release();
  });

  it('takes a model of empty files only without asking for anything', async () => {
    const model = makeModel({ a: Buffer.alloc(0), 'b/c': Buffer.alloc(0) }, [1]);
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(source.asked).toEqual([]);
    await outcome.release();
  });

  it('fetches a chunk that is in the model many times once', async () => {
    const block = seededBytes(5000, 7);
    const model = makeModel({ a: Buffer.concat([block, block, block]), b: Buffer.concat([block, block]) }, [5000]);
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(source.asked).toHaveLength(1);
    expect(outcome).toMatchObject({ transferredBytes: 5000, reusedBytes: 20_000 });
    await outcome.release();
  });

  it('takes from this disk what is there, and asks for the rest only', async () => {
    const base = makeModel({ w: Buffer.concat([seededBytes(40_000, 1), seededBytes(40_000, 2)]) }, [10_000]);
    const tuned = makeModel({ w: Buffer.concat([seededBytes(40_000, 1), seededBytes(40_000, 3)]) }, [10_000]);
    const source = memorySource(tuned);
    const outcome = await pullModel(tuned, {
      staging: await temporaryFolder(),
      sources: [source],
      local: localModels(base),
    });
    await expectFiles(outcome.filesFolder, tuned);
    expect(outcome).toMatchObject({ transferredBytes: 40_000, reusedBytes: 40_000 });
    expect(source.asked.every(({ digest }) => !base.chunks.has(digest as never))).toBe(true);
    await outcome.release();
  });

  it('falls back to the network where this disk gives wrong bytes, none, or fails', async () => {
    const model = makeFileModel(60_000, 10_000);
    let times = 0;
    const local = {
      locateChunks: localModels(model).locateChunks,
      readLocatedChunk: async () => {
        times++;
        if (times === 1) return undefined;
        if (times === 2) throw new Error('it is gone');
        return seededBytes(10_000, 99);
      },
    };
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [memorySource(model)], local });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome).toMatchObject({ transferredBytes: 60_000, reusedBytes: 0, refetchedChunks: 0 });
    expect(times).toBe(6);
    await outcome.release();
  });

  it('uses several sources at once and says what each gave', async () => {
    const model = makeFileModel(12 * 1024 * 1024, 1024 * 1024);
    const sources = ['A', 'B', 'C'].map((name) => memorySource(model, { name }));
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.bytesPerSource.map(({ name }) => name).sort()).toEqual(['A', 'B', 'C']);
    expect(outcome.bytesPerSource.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(12 * 1024 * 1024);
    await outcome.release();
  });

  it('shows nothing but the staging folder, and removes it when the files were moved out', async () => {
    const model = makeFileModel(1000, 100);
    const staging = await temporaryFolder();
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    expect(await readdir(staging)).toEqual([model.digest]);
    await rename(outcome.filesFolder, join(await temporaryFolder(), 'installed'));
    await outcome.release();
    expect(await readdir(staging)).toEqual([]);
  });

  it('goes through its states in order, with counts that end at the whole', async () => {
    const model = makeFileModel(300_000, 10_000);
    const told: TransferProgress[] = [];
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: [memorySource(model)],
      onProgress: (progress) => told.push(progress),
    });
    const states = told.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);
    expect(states).toEqual(['preparing', 'transferring', 'verifying', 'completed']);
    expect(told.at(-1)).toMatchObject({ doneBytes: 300_000, totalBytes: 300_000, secondsLeft: 0 });
    expect(told.at(-1)?.sources).toEqual([{ name: 'memory', bytes: 300_000 }]);
    await outcome.release();
  });

  it('refuses a manifest that is not of the digest, before it makes anything', async () => {
    const model = makeFileModel(1000, 100);
    const other = makeFileModel(1000, 100, 2);
    const staging = await temporaryFolder();
    const error = await failedPull(model, {
      staging,
      sources: [memorySource(model)],
      contents: { ...model.manifest, digest: other.digest },
    });
    expect(error.code).toBe('invalid_model');
    expect(await readdir(staging)).toEqual([]);
  });

  it('ends with a clear error when there is no source', async () => {
    const model = makeFileModel(1000, 100);
    expect((await failedPull(model, { staging: await temporaryFolder(), sources: [] })).code).toBe('network');
  });
});
