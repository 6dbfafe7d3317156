import { describe, expect, it } from '@jest/globals';
import type { ModelRtcError } from '@model-rtc/protocol';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type ChunkSource, type TransferProgress, Watchdog } from '../src/index.ts';
import { expectFiles } from './support/expectations.ts';
import { makeFileModel } from './support/models.ts';
import { failedPull, pullModel, temporaryFolder } from './support/pulling.ts';
import { memorySource, stalled } from './support/sources.ts';

const model = makeFileModel(200_000, 10_000);

describe('sources that stall', () => {
  it('are told after 10 s and replaced by the others', async () => {
    const clock = new VirtualClock();
    const told: ModelRtcError[] = [];
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = memorySource(model, {
      alter: async (_c, pieces) => {
        await gate;
        return pieces;
      },
    });
    const silent = stalled('silent', (error) => {
      told.push(error);
      release?.();
    });
    const big = makeFileModel(200_000, 10_000);
    const pulling = pullModel(big, {
      staging: await temporaryFolder(),
      sources: [silent, slow],
      components: { clock },
    });
    await until(
      () => slow.asked.length > 0 || told.length > 0,
      () => clock.pass(1_000),
    );
    const outcome = await settledWith(pulling, () => clock.pass(100));
    await expectFiles(outcome.filesFolder, big);
    expect(told).toMatchObject([{ code: 'network' }]);
    await outcome.release();
  });

  it('end the pull with a network error, so that the caller can connect again', async () => {
    const clock = new VirtualClock();
    const failing = failedPull(model, {
      staging: await temporaryFolder(),
      sources: [stalled('silent')],
      components: { clock },
    });
    const error = await settledWith(failing, () => clock.pass(500));
    expect(error.code).toBe('network');
    expect(error.message).toContain('silent');
    expect(clock.nowMs()).toBeGreaterThanOrEqual(10_000);
  });

  it.each([
    ['2 min', undefined, 120_000],
    ['the time that was asked for', 300_000, 300_000],
  ])('lead to a warning at 30 s and to a timeout at %s, counted across attempts', async (_, giveUpMs, afterMs) => {
    const clock = new VirtualClock();
    const watchdog = new Watchdog(clock, giveUpMs);
    const staging = await temporaryFolder();
    const told: TransferProgress[] = [];
    const errors: ModelRtcError[] = [];
    while (errors.at(-1)?.code !== 'timeout' && errors.length < 40) {
      const failing = failedPull(model, {
        staging,
        sources: [stalled('silent')],
        watchdog,
        components: { clock },
        onProgress: (progress) => told.push(progress),
      });
      // Preparing an attempt takes real time only: how much does not depend on this clock.
      errors.push(await settledWith(failing, () => told.at(-1)?.state === 'transferring' && clock.pass(500)));
    }
    expect(errors.at(-1)).toMatchObject({ code: 'timeout', exitCode: 9 });
    expect(errors.at(-1)?.message).toContain('same command again to resume');
    expect(errors.length).toBeGreaterThan(5);
    const warnings = told.filter((progress) => progress.state === 'transferring' && progress.warning !== undefined);
    expect(warnings[0]).toMatchObject({ warning: { kind: 'stalled' } });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(afterMs);
    expect(clock.nowMs()).toBeLessThan(afterMs + 20_000);
  });

  it('are named when they say all the time that they do not have the rest, and asked ever less often', async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const empty: ChunkSource = {
      name: 'empty',
      async fetch(chunks) {
        asked += 1;
        return { missing: chunks.map(({ index }) => index) };
      },
    };
    const failing = failedPull(model, { staging: await temporaryFolder(), sources: [empty], components: { clock } });
    const error = await settledWith(failing, () => asked > 0 && clock.pass(500));
    expect(error).toMatchObject({ code: 'timeout', message: expect.stringMatching(/^empty did not have the rest/) });
    expect(asked).toBeLessThan(40);
  });

  it.each([
    ['', 100_000, 3_000],
    [', though one chunk takes minutes', 20_000, 4_000],
  ])('are not given up while they are only slow%s', async (_, pieceBytes, pieceMs) => {
    const clock = new VirtualClock();
    const large = makeFileModel(1_000_000, 1_000_000);
    const slow = memorySource(large, { pieceBytes });
    const trickling: ChunkSource = {
      name: 'slow link',
      fetch: (chunks, { signal, onPiece }) =>
        slow.fetch(chunks, {
          signal,
          onPiece: (...piece) => {
            clock.pass(pieceMs);
            onPiece(...piece);
          },
        }),
    };
    const outcome = await pullModel(large, {
      staging: await temporaryFolder(),
      sources: [trickling],
      components: { clock },
    });
    await expectFiles(outcome.filesFolder, large);
    await outcome.release();
  });

  it('are not given up while their lanes share what is just enough for one', async () => {
    const clock = new VirtualClock();
    const large = makeFileModel(1_200_000, 600_000);
    const asked = [0, 0];
    const stalls: ModelRtcError[] = [];
    const lanes = asked.map(
      (_none, lane): ChunkSource => ({
        name: 'slow link',
        origin: 'slow link',
        onStall: (error) => stalls.push(error),
        async fetch(chunks, { signal, onPiece }) {
          asked[lane] = (asked[lane] ?? 0) + chunks.length;
          for (const { index, digest, size } of chunks) {
            for (let offset = 0; offset < size; offset += 20_000) {
              await new Promise((resolve) => setImmediate(resolve));
              signal.throwIfAborted();
              clock.pass(1_700);
              onPiece(
                index,
                offset,
                large.chunks.get(digest as never)?.subarray(offset, offset + 20_000) ?? Buffer.of(),
                true,
              );
            }
          }
        },
      }),
    );
    const outcome = await pullModel(large, {
      staging: await temporaryFolder(),
      sources: lanes,
      components: { clock },
    });
    expect(asked.every((chunks) => chunks > 0)).toBe(true);
    expect(stalls).toEqual([]);
    await outcome.release();
  });
});

/** Moves the time until the promise is settled. */
async function settledWith<T>(promise: Promise<T>, move: () => void): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  watched.catch(() => {});
  await until(() => settled, move);
  return await watched;
}

async function until(done: () => boolean, move: () => void): Promise<void> {
  while (!done()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!done()) move();
  }
}
