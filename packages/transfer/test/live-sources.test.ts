import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { RateLimiter, TransferProgress } from '../src/index.ts';
import { type ChunkSource, SourcePool } from '../src/index.ts';
import { expectFiles } from './support/expectations.ts';
import { makeFileModel } from './support/models.ts';
import { failedPull, pullModel, temporaryFolder } from './support/pulling.ts';
import { memorySource, networkError, stalled } from './support/sources.ts';

const model = makeFileModel(200_000, 10_000);

describe('a pool that is not ended', () => {
  it('is waited for while it is empty, and a source that comes later gives the model', async () => {
    const pool = new SourcePool();
    let left: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    let sent = 0;
    const leaving = memorySource(model, {
      alter: (_c, pieces) => {
        if (sent++ < 5) return pieces;
        throw networkError();
      },
    });
    pool.onChange(({ type }) => type === 'removed' && left?.());
    const pulling = pullModel(model, { staging: await temporaryFolder(), sources: pool });
    pool.add(leaving);
    await gone;
    expect(pool.sources).toEqual([]);
    pool.add(memorySource(model, { name: 'late' }));
    const outcome = await pulling;
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.bytesPerSource).toEqual([
      { name: 'memory', bytes: 50_000 },
      { name: 'late', bytes: 150_000 },
    ]);
    expect(outcome.dropped).toEqual([]);
    await outcome.release();
  });

  it('ends the pull with the error that it is ended with', async () => {
    const pool = new SourcePool();
    const staging = await temporaryFolder();
    const error = networkError();
    const failing = failedPull(model, {
      staging,
      sources: pool,
      onProgress: ({ state }) => state === 'transferring' && pool.end(error),
    });
    expect(await failing).toBe(error);
  });

  it('leads to a timeout when nothing comes for two minutes', async () => {
    const clock = new VirtualClock();
    const told: TransferProgress[] = [];
    const failing = failedPull(model, {
      staging: await temporaryFolder(),
      sources: new SourcePool(),
      components: { clock },
      onProgress: (progress) => {
        told.push(progress);
        if (progress.state === 'transferring') setImmediate(() => clock.pass(1_000));
      },
    });
    expect((await failing).code).toBe('timeout');
    expect(told.some((progress) => progress.state === 'transferring' && progress.warning !== undefined)).toBe(true);
  });

  it('takes what a removed source was asked for from the others', async () => {
    const pool = new SourcePool();
    const silent = stalled('silent');
    pool.add(silent);
    const pulling = pullModel(model, {
      staging: await temporaryFolder(),
      sources: pool,
      onProgress: ({ state }) => state === 'transferring' && pool.remove(silent),
    });
    pool.add(memorySource(model));
    const outcome = await pulling;
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });
});

describe('a source that does not have all yet', () => {
  it('is asked again after a while, and no fault is counted', async () => {
    const clock = new VirtualClock();
    let ready = 0;
    const inner = memorySource(model, { name: 'partial' });
    const partial: ChunkSource = {
      ...inner,
      async fetch(chunks, options) {
        const until = ready;
        ready += 3;
        const has = chunks.filter(({ index }) => index < until);
        await inner.fetch(has, options);
        const missing = chunks.filter(({ index }) => index >= until).map(({ index }) => index);
        if (missing.length > 0) setImmediate(() => clock.pass(500));
        return { missing };
      },
    };
    const pool = new SourcePool();
    pool.add(partial);
    let told = 0;
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: pool,
      components: { clock },
      onProgress: ({ state }) => {
        // Progress comes once a second of this clock, so it goes on as long as the pull does.
        if (state === 'transferring' && told++ < 100) setImmediate(() => clock.pass(1_000));
      },
    });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.refetchedChunks).toBe(0);
    await outcome.release();
  });
});

describe('the last chunks', () => {
  it('are asked of another source too, when the one that has them falls silent, and it is called back', async () => {
    let silentAsked = 0;
    let calledBack = 0;
    const silent: ChunkSource = {
      ...stalled('silent'),
      fetch: (chunks, { signal }) => {
        silentAsked += chunks.length;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            calledBack++;
            reject(signal.reason);
          });
        });
      },
    };
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: [silent, memorySource(model, { name: 'other' })],
    });
    await expectFiles(outcome.filesFolder, model);
    expect(silentAsked).toBeGreaterThan(0);
    expect(calledBack).toBeGreaterThan(0);
    expect(outcome.dropped).toEqual([]);
    expect(outcome.refetchedChunks).toBe(0);
    await outcome.release();
  });

  it('are counted as duplicate where they come twice, and a late one does no harm', async () => {
    const late: (() => void)[] = [];
    const inner = memorySource(model, { name: 'late' });
    const slow: ChunkSource = {
      ...inner,
      fetch: (chunks, { onPiece }) =>
        new Promise(() => {
          for (const { index, digest } of chunks) {
            const bytes = model.chunks.get(digest as never) ?? Buffer.alloc(0);
            onPiece(index, 0, bytes.subarray(0, 4_000), true);
            late.push(() => onPiece(index, 4_000, bytes.subarray(4_000), true));
          }
        }),
    };
    const other = memorySource(model, {
      name: 'other',
      alter: (_c, pieces) => {
        for (const piece of late.splice(0, 1)) setImmediate(piece);
        return pieces;
      },
    });
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [slow, other] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.duplicateBytes).toBeGreaterThan(0);
    expect(outcome.duplicateBytes).toBeLessThanOrEqual(200_000);
    expect(outcome.transferredBytes).toBe(200_000);
    expect(outcome.dropped).toEqual([]);
    await outcome.release();
  });
});

describe('a rate limiter', () => {
  it('lets no more be asked for than it allows, and one chunk', async () => {
    const paced = makeFileModel(2_000_000, 100_000);
    let allowed = 0;
    let asked = 0;
    let most = 0;
    const limiter: RateLimiter = {
      room: () => 0,
      async take(bytes) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        allowed += bytes;
      },
    };
    const source = memorySource(paced);
    const counted: ChunkSource = {
      ...source,
      fetch: (chunks, options) => {
        asked += chunks.reduce((sum, { size }) => sum + size, 0);
        most = Math.max(most, asked - allowed);
        return source.fetch(chunks, options);
      },
    };
    const outcome = await pullModel(paced, { staging: await temporaryFolder(), sources: [counted], limiter });
    await expectFiles(outcome.filesFolder, paced);
    expect(asked).toBe(2_000_000);
    expect(most).toBeLessThanOrEqual(100_000);
    await outcome.release();
  });
});
