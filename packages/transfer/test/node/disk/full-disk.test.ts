import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { open, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelRtcError } from '@model-rtc/protocol';
import { expectFiles } from '../../support/expectations.ts';
import { makeFileModel, makeModel, seededBytes } from '../../support/models.ts';
import { failedPull, pullModel, temporaryFolder } from '../../support/pulling.ts';
import { memorySource } from '../../support/sources.ts';

const model = makeFileModel(300_000, 10_000);

describe('a disk without room', () => {
  it('is noticed before the first byte, and the error says how much is needed and free', async () => {
    const source = memorySource(model);
    const error = await failedPull(model, {
      staging: await temporaryFolder(),
      sources: [source],
      components: { freeSpace: async () => 5_000_000 },
    });
    expect(error).toMatchObject({ code: 'storage_full', exitCode: 7, details: { freeBytes: 5_000_000 } });
    expect(error.message).toContain('5 MB are free');
    expect(source.asked).toEqual([]);
  });

  it('needs no room for what an earlier attempt wrote', async () => {
    const staging = await temporaryFolder();
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    await outcome.release();
    const again = await pullModel(model, { staging, sources: [], components: { freeSpace: async () => 0 } });
    expect(again.resumedBytes).toBe(300_000);
    await again.release();
  });
});

/** Does the work in a file system of this size, where this user can make one. */
async function onSmallDisk(mebibytes: number, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(await temporaryFolder(), 'small');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch (error) {
    if (process.env.MODEL_RTC_REQUIRE_ALL === '1') throw error;
    process.stderr.write('skipped: a small disk cannot be mounted here (it takes root)\n');
    return;
  }
  try {
    await work(folder);
  } finally {
    execFileSync('umount', [folder]);
  }
}

describe('a disk that fills up', () => {
  it('ends the pull with the state kept, and the pull goes on when there is room', () =>
    onSmallDisk(4, async (disk) => {
      const large = makeFileModel(3_500_000, 100_000);
      const filler = join(disk, 'filler');
      appendFileSync(filler, Buffer.alloc(2_000_000));
      const components = { freeSpace: async () => Number.MAX_SAFE_INTEGER };
      const staging = join(disk, 'staging');
      const error: ModelRtcError = await failedPull(large, { staging, sources: [memorySource(large)], components });
      expect(error).toMatchObject({ code: 'storage_full', exitCode: 7 });
      expect(error.message).toContain('are kept');
      await truncate(filler, 0);
      const source = memorySource(large);
      const outcome = await pullModel(large, { staging, sources: [source], components });
      await expectFiles(outcome.filesFolder, large);
      expect(outcome.resumedBytes).toBeGreaterThan(0);
      expect(outcome.resumedBytes + outcome.transferredBytes).toBe(3_500_000);
      await outcome.release();
    }));

  it('is noticed by the real free space of the file system', () =>
    onSmallDisk(2, async (disk) => {
      const source = memorySource(model);
      const error = await failedPull(model, { staging: join(disk, 'staging'), sources: [source] });
      expect(error.code).toBe('storage_full');
      expect(source.asked).toEqual([]);
    }));
});

describe('a disk that does not keep what was written', () => {
  it('is found out by the whole-file hash, and just the bad chunk is fetched again', async () => {
    const staging = await temporaryFolder();
    const journal = join(staging, model.digest, 'journal');
    const source = memorySource(model, {
      alter: async ({ index }, pieces, times) => {
        if (index !== 0 || times > 1) return pieces;
        // The first chunk comes last, so all others are read back for the hash; one of them rots meanwhile.
        while ((await readFile(journal, 'latin1')).split('\n').filter((line) => / /.test(line)).length < 20) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        const file = await open(join(staging, model.digest, 'files', 'weights.bin'), 'r+');
        await file.write(Buffer.from('rot'), 0, 3, 150_005);
        await file.close();
        return pieces;
      },
    });
    const inTwo = { ...source, fetch: splitFetch(source) };
    const outcome = await pullModel(model, { staging, sources: [inTwo] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.refetchedChunks).toBe(1);
    expect(source.asked).toHaveLength(31);
    await outcome.release();
  });

  /** Serves each chunk on its own, so that one that waits holds up no other. */
  function splitFetch(source: ReturnType<typeof memorySource>): typeof source.fetch {
    return async (chunks, options) => {
      await Promise.all(chunks.map((chunk) => source.fetch([chunk], options)));
    };
  }
});

describe('many files', () => {
  it('come without many open at once', async () => {
    const files: Record<string, Buffer> = {};
    for (let i = 0; i < 500; i++) files[`d${i % 7}/f${i}`] = seededBytes(50, i);
    const many = makeModel(files, [50]);
    let most = 0;
    const source = memorySource(many, {
      alter: async (_chunk, pieces) => {
        most = Math.max(most, process.platform === 'linux' ? (await readdir('/proc/self/fd')).length : 0);
        return pieces;
      },
    });
    const before = process.platform === 'linux' ? (await readdir('/proc/self/fd')).length : 0;
    const outcome = await pullModel(many, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, many);
    expect(most - before).toBeLessThan(100);
    await outcome.release();
  });
});
