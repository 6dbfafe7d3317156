import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import {
  type ChunkSource,
  createMemoryDisk,
  createRateLimiter,
  fetchModel,
  planLayout,
  type RateLimiter,
  type TransferProgress,
} from '../../src/core/index.ts';
import { inProportion } from '../../src/core/session/rate-meter.ts';
import { TransferStats } from '../../src/core/session/stats.ts';
import { contentsOf, makeModel, seededBytes } from '../support/models.ts';
import { damaged, memorySource, networkError } from '../support/sources.ts';

const block = seededBytes(300_000, 70);
/** The block is in it twice, so its second place costs nothing. */
const model = makeModel(
  { 'one.bin': seededBytes(1_000_000, 71), 'two.bin': Buffer.concat([block, block]) },
  [500_000, 500_000, 300_000, 300_000],
);
const layout = planLayout(contentsOf(model));
const TOTAL = 1_600_000;

interface Attempt {
  readonly sources: readonly ChunkSource[];
  readonly limiter?: RateLimiter;
}

/** Fetches in one attempt after the other, into the same disk. @returns all that was told */
async function told(...attempts: readonly Attempt[]): Promise<TransferProgress[]> {
  const disk = createMemoryDisk(layout, { maxBytes: 2_000_000 });
  const all: TransferProgress[] = [];
  for (const attempt of attempts) {
    await fetchModel({ layout, disk, ...attempt, onProgress: (progress) => all.push(progress) }).catch(() => {});
  }
  return all;
}

const breaking = (after: number): ChunkSource => {
  let left = after;
  return memorySource(model, {
    alter: (_chunk, pieces) => {
      if (left-- === 0) throw networkError();
      return pieces;
    },
  });
};
const lossy = (name: string): ChunkSource =>
  memorySource(model, { name, alter: (_chunk, pieces, times) => (times === 1 ? damaged(pieces) : pieces) });

describe('the figures of a transfer', () => {
  it.each<[string, () => Attempt[]]>([
    ['from one source', () => [{ sources: [memorySource(model)] }]],
    ['from several at once', () => [{ sources: ['a', 'b', 'c'].map((name) => memorySource(model, { name })) }]],
    ['with loss', () => [{ sources: [lossy('a'), memorySource(model, { name: 'b' })] }]],
    ['with a limit', () => [{ sources: [memorySource(model)], limiter: createRateLimiter({ bytesPerSecond: 50e6 }) }]],
    ['that is resumed', () => [{ sources: [breaking(2)] }, { sources: [memorySource(model)] }]],
  ])('add up to what is there, at every moment: one %s', async (_how, attempts) => {
    const all = await told(...attempts());
    for (const { doneBytes, transferredBytes, reusedBytes, resumedBytes, lanes, bytesPerSecond } of all) {
      expect(transferredBytes + reusedBytes + resumedBytes).toBe(doneBytes);
      expect(lanes.reduce((sum, lane) => sum + lane.bytesPerSecond, 0)).toBeLessThanOrEqual(bytesPerSecond);
    }
    const last = all.at(-1);
    expect(last).toMatchObject({ state: 'completed', doneBytes: TOTAL });
    // The block's second place.
    expect((last?.reusedBytes ?? 0) + (last?.resumedBytes ?? 0)).toBeGreaterThanOrEqual(300_000);
    expect(last?.transferredBytes).toBeLessThanOrEqual(1_300_000);
  });

  it('call wasted what came wrong', async () => {
    const [last] = (await told({ sources: [lossy('a'), memorySource(model, { name: 'b' })] })).slice(-1);
    expect(last?.wastedBytes).toBeGreaterThan(0);
    expect(last?.duplicateBytes).toBeLessThanOrEqual(last?.wastedBytes ?? 0);
  });

  it('take back what is lost on the disk and fetched again', () => {
    const stats = new TransferStats(layout);
    const source = memorySource(model);
    const ids = [...layout.sizes.keys()];
    for (const id of ids) stats.fetched(id, source);
    stats.lost(ids[0] ?? 0);
    expect(stats.transferredBytes + stats.reusedBytes + stats.resumedBytes).toBe(stats.doneBytes);
    stats.fetched(ids[0] ?? 0, source);
    expect(stats).toMatchObject({ doneBytes: TOTAL, transferredBytes: 1_300_000, reusedBytes: 300_000 });
    expect(stats.wastedBytes).toBe(layout.sizes[0]);
  });

  it('show no rate of a connection that was lost', () => {
    const stats = new TransferStats(layout);
    const lane = { kind: 'direct', engine: undefined };
    const source = { ...memorySource(model), lane } as unknown as ChunkSource;
    stats.joined(source, 0);
    stats.fetched(0, source);
    expect(stats.bytesPerLane(1000)[0]?.bytesPerSecond).toBeGreaterThan(0);
    stats.left(source);
    expect(stats.bytesPerLane(1001)).toMatchObject([{ bytes: layout.sizes[0], bytesPerSecond: 0 }]);
  });
});

describe('the rates of lanes', () => {
  it('are parts of the whole rate, whatever each was measured over', () => {
    const lanes = inProportion([{ bytesPerSecond: 88.3e6 }, { bytesPerSecond: 4.1e6 }], 59.5e6);
    const sum = lanes.reduce((total, { bytesPerSecond }) => total + bytesPerSecond, 0);
    expect(sum).toBeGreaterThan(59.4e6);
    expect(sum).toBeLessThanOrEqual(59.5e6);
    expect(inProportion([{ bytesPerSecond: 0 }], 5)).toEqual([{ bytesPerSecond: 0 }]);
  });
});
