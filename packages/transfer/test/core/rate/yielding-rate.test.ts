import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { PRIORITIES, type Priority } from '../../../src/core/rate/priority.ts';
import { type Rival, YieldingRate } from '../../../src/core/rate/yielding-rate.ts';

const MB = 1_000_000;

/** One of the transfers that share a link, and how much it could take if it were alone. */
interface Flow {
  readonly priority: Priority;
  readonly demand: number;
  /** Seconds at which it runs; always when left out. */
  readonly from?: number;
  readonly until?: number;
}

/** What each of some flows gets of a link that divides itself evenly, as TCP does: nobody gets more than it may have. */
function share(capacity: number, limits: readonly number[]): number[] {
  const got = limits.map(() => 0);
  let left = capacity;
  for (let open = limits.map((_, i) => i); open.length > 0 && left > 1; ) {
    const each = left / open.length;
    for (const i of open) {
      const more = Math.min(each, (limits[i] as number) - (got[i] as number));
      got[i] = (got[i] as number) + more;
      left -= more;
    }
    open = open.filter((i) => (limits[i] as number) - (got[i] as number) > 1);
  }
  return got;
}

/** Lets transfers share a link for some time. @returns what each got in each second */
function simulate(capacity: number, flows: readonly Flow[], seconds: number): number[][] {
  const rates = flows.map(() => new YieldingRate());
  const got: number[][] = [];
  for (let second = 0; second < seconds; second++) {
    const runsNow = (flow: Flow): boolean => second >= (flow.from ?? 0) && second < (flow.until ?? seconds);
    const limits = flows.map((flow, i) => (runsNow(flow) ? Math.min(flow.demand, rates[i]?.bytesPerSecond ?? 0) : 0));
    got.push(share(capacity, limits));
    // As the records say it: an average of five seconds.
    const last = got.slice(-5);
    const measured = flows.map((_, i) => last.reduce((sum, one) => sum + (one[i] ?? 0), 0) / last.length);
    for (const [i, flow] of flows.entries()) {
      const rivals = flows.flatMap((other, j): Rival[] =>
        j === i || !runsNow(other)
          ? []
          : [{ id: String(j), priority: other.priority, bytesPerSecond: measured[j] as number }],
      );
      const own = { priority: flow.priority, bytesPerSecond: measured[i] as number };
      rates[i]?.update(own, rivals, second * 1000);
    }
  }
  return got;
}

const mean = (got: readonly number[][], flow: number, from: number, until: number): number =>
  got.slice(from, until).reduce((sum, one) => sum + (one[flow] as number), 0) / (until - from);

describe('a transfer that gives way', () => {
  it('leaves a full link to a more urgent one, and keeps a tenth of it', () => {
    const got = simulate(
      10 * MB,
      [
        { priority: 'critical', demand: 100 * MB },
        { priority: 'normal', demand: 100 * MB },
      ],
      200,
    );
    expect(mean(got, 0, 20, 200)).toBeGreaterThan(8 * MB);
    expect(mean(got, 1, 20, 200)).toBeGreaterThan(0.5 * MB);
  });

  it('uses what a more urgent one cannot use', () => {
    const got = simulate(
      100 * MB,
      [
        { priority: 'critical', demand: 5_000 },
        { priority: 'low', demand: 80 * MB },
      ],
      400,
    );
    expect(mean(got, 0, 20, 400)).toBe(5_000);
    expect(mean(got, 1, 300, 400)).toBeGreaterThan(60 * MB);
  });

  it('has all of the link once nobody is more urgent', () => {
    const got = simulate(
      10 * MB,
      [
        { priority: 'high', demand: 100 * MB, from: 20, until: 60 },
        { priority: 'normal', demand: 100 * MB },
      ],
      100,
    );
    expect(mean(got, 1, 0, 20)).toBe(10 * MB);
    expect(mean(got, 1, 30, 60)).toBeLessThan(3 * MB);
    expect(mean(got, 1, 62, 100)).toBe(10 * MB);
  });

  it('shares the link evenly with one that is as urgent', () => {
    const got = simulate(
      10 * MB,
      [
        { priority: 'high', demand: 100 * MB },
        { priority: 'high', demand: 100 * MB },
      ],
      30,
    );
    expect(mean(got, 0, 0, 30)).toBe(5 * MB);
  });

  it('never has less than it needs to look alive, whoever runs beside it', () => {
    const rival = fc.record({
      id: fc.string({ maxLength: 4 }),
      priority: fc.constantFrom(...PRIORITIES),
      bytesPerSecond: fc.double({ min: 0, max: 1e10, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...PRIORITIES),
        fc.array(fc.array(rival, { maxLength: 6 }), { maxLength: 30 }),
        (priority, steps) => {
          const rate = new YieldingRate();
          for (const [i, rivals] of steps.entries()) {
            const now = rate.update({ priority, bytesPerSecond: 1000 }, rivals, i * 1000);
            expect(now).toBeGreaterThanOrEqual(64 * 1024);
            if (priority === 'critical') expect(now).toBe(Number.POSITIVE_INFINITY);
          }
        },
      ),
      { numRuns: runs(200) },
    );
  });
});
