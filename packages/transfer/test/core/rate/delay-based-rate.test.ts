import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { createBackgroundLimiter } from '../../../src/core/rate/background-limiter.ts';
import { DelayBasedRate } from '../../../src/core/rate/delay-based-rate.ts';

const STEP_MS = 10;

interface Scene {
  /** What the link carries, bytes a second. */
  readonly capacity: number;
  readonly baseRttMs: number;
  /** How long the full queue delays; what comes then is lost. */
  readonly queueMs: number;
  /** What others send at a moment, bytes a second, given how long the queue is. */
  readonly others: (nowMs: number, queueMs: number) => number;
}

interface Moment {
  readonly atMs: number;
  /** What came through of ours since the moment before, bytes a second. */
  readonly ours: number;
  readonly queueMs: number;
}

/** One link with a queue that everyone on it shares, first come first served; round-trip times are measured 5 times a second. */
function simulate(
  nice: DelayBasedRate,
  { capacity, baseRttMs, queueMs: longest, others }: Scene,
  forMs: number,
): Moment[] {
  const moments: Moment[] = [];
  const queue = { ours: 0, theirs: 0 };
  let goodput = 0;
  for (let nowMs = 0; nowMs < forMs; nowMs += STEP_MS) {
    const second = STEP_MS / 1000;
    const waitMs = ((queue.ours + queue.theirs) / capacity) * 1000;
    const room = Math.max(0, ((longest - waitMs) / 1000) * capacity + capacity * second);
    const come = { ours: nice.bytesPerSecond * second, theirs: others(nowMs, waitMs) * second };
    const fits = Math.min(1, room / (come.ours + come.theirs));
    queue.ours += come.ours * fits;
    queue.theirs += come.theirs * fits;
    const all = queue.ours + queue.theirs;
    const leaves = Math.min(1, (capacity * second) / all);
    const ours = (queue.ours * leaves) / second;
    queue.ours *= 1 - leaves;
    queue.theirs *= 1 - leaves;
    goodput += (ours - goodput) * 0.02;
    moments.push({ atMs: nowMs, ours, queueMs: waitMs });
    if (nowMs % 200 === 0) nice.update({ rttMs: baseRttMs + waitMs, bytesPerSecond: goodput }, nowMs);
  }
  return moments;
}

function average(moments: readonly Moment[], of: (moment: Moment) => number, fromMs: number, untilMs: number): number {
  const those = moments.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  return those.reduce((sum, moment) => sum + of(moment), 0) / those.length;
}

const links = fc.record({
  capacity: fc.integer({ min: 1_000_000, max: 60_000_000 }),
  baseRttMs: fc.integer({ min: 5, max: 200 }),
  queueMs: fc.integer({ min: 100, max: 600 }),
});

describe('a nice rate', () => {
  it('uses a link that nobody else uses, with a short queue', () => {
    fc.assert(
      fc.property(links, (link) => {
        const moments = simulate(new DelayBasedRate(), { ...link, others: () => 0 }, 120_000);
        expect(average(moments, ({ ours }) => ours, 60_000, 120_000)).toBeGreaterThan(link.capacity * 0.8);
        expect(average(moments, ({ queueMs }) => queueMs, 60_000, 120_000)).toBeLessThan(60);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the link to one that fills it, and takes it again when that has gone', () => {
    fc.assert(
      fc.property(links, (link) => {
        // Fills the queue and keeps it full, as TCP does, but for what it is pressed back by others.
        const greedy = (nowMs: number, queueMs: number): number =>
          nowMs < 60_000 || nowMs >= 120_000
            ? 0
            : queueMs < link.queueMs * 0.8
              ? link.capacity * 1.2
              : link.capacity * 0.9;
        const moments = simulate(new DelayBasedRate(), { ...link, others: greedy }, 220_000);
        expect(average(moments, ({ ours }) => ours, 80_000, 120_000)).toBeLessThan(
          Math.max(link.capacity * 0.2, 2 * 64 * 1024),
        );
        expect(average(moments, ({ ours }) => ours, 190_000, 220_000)).toBeGreaterThan(link.capacity * 0.7);
      }),
      { numRuns: 40 },
    );
  });

  it('takes what a steady sender leaves, and disturbs it little', () => {
    fc.assert(
      fc.property(links, fc.double({ min: 0.2, max: 0.7, noNaN: true }), (link, part) => {
        const moments = simulate(new DelayBasedRate(), { ...link, others: () => link.capacity * part }, 120_000);
        const left = link.capacity * (1 - part);
        expect(average(moments, ({ ours }) => ours, 60_000, 120_000)).toBeGreaterThan(left * 0.75);
        expect(average(moments, ({ queueMs }) => queueMs, 60_000, 120_000)).toBeLessThan(60);
      }),
      { numRuns: 40 },
    );
  });

  it('follows to a route with a longer round trip', () => {
    const nice = new DelayBasedRate(5_000_000);
    let nowMs = 0;
    const run = (rttMs: number, forMs: number): void => {
      for (const untilMs = nowMs + forMs; nowMs < untilMs; nowMs += 200)
        nice.update({ rttMs, bytesPerSecond: nice.bytesPerSecond }, nowMs);
    };
    run(20, 60_000);
    const before = nice.bytesPerSecond;
    run(120, 60_000);
    expect(nice.bytesPerSecond).toBeLessThan(before / 10);
    run(120, 5 * 60_000);
    expect(nice.bytesPerSecond).toBeGreaterThan(before / 2);
  });

  it('stays within its bounds whatever it is told', () => {
    const sample = fc.record({
      rttMs: fc.double({ min: -10, max: 1e6 }),
      bytesPerSecond: fc.double({ min: 0, max: 1e12, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), (samples) => {
        const nice = new DelayBasedRate(5_000_000);
        for (const [at, one] of samples.entries()) nice.update(one, at * 700);
        expect(nice.bytesPerSecond).toBeGreaterThanOrEqual(64 * 1024);
        expect(nice.bytesPerSecond).toBeLessThanOrEqual(5_000_000);
      }),
    );
  });

  it('finds a fast link in some seconds, also after one late round trip at the start', () => {
    const nice = new DelayBasedRate();
    const update = (rttMs: number, at: number) => nice.update({ rttMs, bytesPerSecond: nice.bytesPerSecond }, at * 500);
    // Two, since the least of the last two counts.
    for (const [at, rttMs] of [5, 5, 40, 40].entries()) update(rttMs, at);
    expect(nice.bytesPerSecond).toBeLessThan(10_000_000);
    for (let at = 4; at < 32; at++) update(5, at);
    expect(nice.bytesPerSecond).toBeGreaterThan(100_000_000);
  });

  it('grows no further than what is used of it', () => {
    const nice = new DelayBasedRate();
    for (let at = 0; at < 1000; at++) nice.update({ rttMs: 20, bytesPerSecond: 3_000_000 }, at * 200);
    expect(nice.bytesPerSecond).toBeLessThanOrEqual(6_000_000);
  });
});

describe('a background limiter', () => {
  it('lets through what the round-trip times allow, and less when they grow', async () => {
    const time = new VirtualClock();
    const limiter = createBackgroundLimiter({ maxBytesPerSecond: 2_000_000, clock: time });
    for (let at = 0; at < 20; at++) {
      await time.advance(200);
      limiter.sample({ rttMs: 30, bytesPerSecond: 2_000_000 });
    }
    expect(limiter.rate).toBe(2_000_000);
    await limiter.take(500_000);
    expect(limiter.room()).toBe(0);
    for (let at = 0; at < 50; at++) {
      await time.advance(200);
      limiter.sample({ rttMs: 400, bytesPerSecond: 2_000_000 });
    }
    expect(limiter.rate).toBe(64 * 1024);
  });
});
