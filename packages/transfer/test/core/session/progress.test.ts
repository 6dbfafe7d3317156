import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { ProgressReporter, type TransferProgress } from '../../../src/core/session/progress.ts';
import { RateMeter } from '../../../src/core/session/rate-meter.ts';
import { TransferStats } from '../../../src/core/session/stats.ts';
import { contentsOf, makeFileModel } from '../../support/models.ts';

import { memorySource } from '../../support/sources.ts';

const model = makeFileModel(1_000_000, 1_000);

function reporter(): {
  clock: VirtualClock;
  stats: TransferStats;
  told: TransferProgress[];
  progress: ProgressReporter;
} {
  const clock = new VirtualClock();
  const stats = new TransferStats(planLayout(contentsOf(model)));
  const told: TransferProgress[] = [];
  const progress = new ProgressReporter(stats, clock, (event) => told.push(event));
  return { clock, stats, told, progress };
}

describe('progress', () => {
  it('is told once a second when nothing happens', () => {
    const { clock, told, progress } = reporter();
    clock.pass(5_000);
    expect(told).toHaveLength(6);
    progress.end();
  });

  it('is told at most ten times a second when much happens', () => {
    const { clock, stats, told, progress } = reporter();
    const source = memorySource(model);
    for (let id = 0; id < 1000; id++) {
      stats.fetched(id, source);
      progress.enter({ state: 'transferring' });
      if (id % 100 === 99) clock.pass(100);
    }
    expect(told.length).toBeLessThanOrEqual(12);
    expect(told.at(-1)).toMatchObject({ state: 'transferring', doneBytes: 1_000_000, secondsLeft: 0 });
    progress.end();
  });

  it('is told at once when the state changes', () => {
    const { told, progress } = reporter();
    progress.enter({ state: 'preparing', reason: 'waiting_for_lock' });
    progress.enter({ state: 'transferring' });
    progress.enter({ state: 'verifying', hashedBytes: 0 });
    expect(told.map(({ state }) => state)).toEqual(['preparing', 'preparing', 'transferring', 'verifying']);
    progress.end();
  });

  it('is told at the end of what came since the last event, and of nothing else', () => {
    const { stats, told, progress } = reporter();
    stats.fetched(0, memorySource(model));
    progress.end();
    expect(told.map(({ doneBytes }) => doneBytes)).toEqual([0, 1000]);
    const idle = reporter();
    idle.progress.end();
    expect(idle.told).toHaveLength(1);
  });

  it('says the time that is left from the rate of the last seconds', () => {
    const { clock, stats, told, progress } = reporter();
    const source = memorySource(model);
    progress.enter({ state: 'transferring' });
    for (let id = 0; id < 500; id++) {
      stats.fetched(id, source);
      if (id % 10 === 9) clock.pass(100);
    }
    expect(told.at(-1)?.bytesPerSecond).toBeGreaterThan(95_000);
    expect(told.at(-1)?.bytesPerSecond).toBeLessThan(105_000);
    expect(told.at(-1)?.secondsLeft).toBeGreaterThan(4);
    expect(told.at(-1)?.secondsLeft).toBeLessThan(7);
    progress.end();
  });

  it('is told no more after its end', () => {
    const { clock, told, progress } = reporter();
    progress.end();
    clock.pass(5_000);
    expect(told).toHaveLength(1);
  });
});

describe('the rate', () => {
  it('follows a change within five seconds, and falls to nothing when nothing comes', () => {
    const meter = new RateMeter(0);
    let bytes = 0;
    let nowMs = 0;
    const run = (ms: number, perSecond: number): number => {
      let rate = 0;
      for (let passed = 0; passed < ms; passed += 100) {
        nowMs += 100;
        bytes += perSecond / 10;
        rate = meter.bytesPerSecond(bytes, nowMs);
      }
      return rate;
    };
    expect(run(10_000, 1_000)).toBe(1_000);
    expect(run(6_000, 9_000)).toBe(9_000);
    expect(run(6_000, 0)).toBe(0);
  });
});
