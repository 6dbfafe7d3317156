import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { combine, type RateLimiter } from '../../../src/core/rate/rate-limiter.ts';
import { createRateLimiter } from '../../../src/core/rate/token-bucket.ts';

interface Taken {
  readonly atMs: number;
  readonly bytes: number;
}

/** Takes again and again, as fast as the limiter allows. */
async function takeAlways(
  limiter: RateLimiter,
  bytes: number,
  { time, signal }: { time: VirtualClock; signal: AbortSignal },
) {
  const taken: Taken[] = [];
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await limiter.take(bytes, signal);
      taken.push({ atMs: time.nowMs(), bytes });
    }
  };
  loop().catch(() => {});
  return taken;
}

const sum = (taken: readonly Taken[], fromMs = 0, untilMs = Number.POSITIVE_INFINITY): number =>
  taken.reduce((all, { atMs, bytes }) => all + (atMs > fromMs && atMs <= untilMs ? bytes : 0), 0);

const rates = fc.integer({ min: 16_000, max: 200_000_000 });

describe('a rate limiter', () => {
  it('holds its rate within 10 % over any 2 s after its start, for any number of takers of any sizes', async () => {
    const takers = fc.array(fc.double({ min: 0.0005, max: 0.1, noNaN: true }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rates, takers, async (rate, parts) => {
        const time = new VirtualClock();
        const stop = new AbortController();
        const limiter = createRateLimiter({ bytesPerSecond: rate, clock: time });
        // A part of what goes in a second: nobody takes in one go what may not go in one go.
        const sizes = parts.map((part) => Math.max(100, Math.ceil(part * rate)));
        const all = await Promise.all(sizes.map((size) => takeAlways(limiter, size, { time, signal: stop.signal })));
        await time.advance(6000);
        stop.abort();
        const taken = all.flat();
        for (let startMs = 500; startMs <= 4000; startMs += 250) {
          const share = sum(taken, startMs, startMs + 2000) / (2 * rate);
          expect(share).toBeGreaterThan(0.9);
          expect(share).toBeLessThan(1.1);
        }
        // And what came first is no more than the small burst and one piece.
        expect(sum(taken, -1, 0)).toBeLessThanOrEqual(Math.max(16 * 1024, rate / 20) + Math.max(...sizes));
      }),
      { numRuns: 25 },
    );
  });

  it('gives takers that take alike the same', async () => {
    const time = new VirtualClock();
    const stop = new AbortController();
    const limiter = createRateLimiter({ bytesPerSecond: 1_000_000, clock: time });
    const takers = await Promise.all(
      Array.from({ length: 7 }, () => takeAlways(limiter, 16_384, { time, signal: stop.signal })),
    );
    await time.advance(10_000);
    stop.abort();
    const counts = takers.map((taken) => sum(taken));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(16_384);
  });

  it('gives its shares the same, however much each takes at once, and one that comes later no more than the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1000, max: 60_000 }), fc.integer({ min: 1, max: 8 }), async (size, many) => {
        const time = new VirtualClock();
        const stop = new AbortController();
        const at = { time, signal: stop.signal };
        const limiter = createRateLimiter({ bytesPerSecond: 1_000_000, clock: time });
        const [one, other, late] = [limiter.share(), limiter.share(), limiter.share()];
        const first = await takeAlways(one, size, at);
        const second = (await Promise.all(
          Array.from({ length: many }, () => takeAlways(other, 60_000, at)),
        )) as Taken[][];
        await time.advance(5000);
        const third = await takeAlways(late, 30_000, at);
        await time.advance(5000);
        stop.abort();
        const later = [first, second.flat(), third].map((taken) => sum(taken, 5000));
        for (const bytes of later) expect(Math.abs(bytes - 5_000_000 / 3)).toBeLessThan(200_000);
      }),
      { numRuns: 20 },
    );
  });

  it('takes nothing for whoever gave up waiting, and leaves no timer', async () => {
    const time = new VirtualClock();
    const limiter = createRateLimiter({ bytesPerSecond: 100_000, clock: time });
    await limiter.take(200_000);
    expect(limiter.room()).toBe(0);
    const reason = new Error('enough');
    const giveUp = new AbortController();
    const waiting = limiter.take(1_000_000, giveUp.signal);
    expect(time.pending).toBe(1);
    giveUp.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(limiter.take(1, giveUp.signal)).rejects.toBe(reason);
    await time.advance(2000);
    expect(time.pending).toBe(0);
    await limiter.take(1);
    expect(time.nowMs()).toBe(2000);
  });

  it('follows when its rate is changed, also for who waits already', async () => {
    const time = new VirtualClock();
    const limiter = createRateLimiter({ bytesPerSecond: 20_000, clock: time });
    await limiter.take(116_384);
    let granted = false;
    const waiting = limiter.take(1000).then(() => {
      granted = true;
    });
    await time.advance(1000);
    expect(granted).toBe(false);
    limiter.rate = 1_000_000;
    await time.advance(82);
    expect(granted).toBe(true);
    await waiting;
  });

  it('is the stricter one of two that are joined, and uses up nothing of the second while the first makes it wait', async () => {
    const time = new VirtualClock();
    const stop = new AbortController();
    const agent = createRateLimiter({ bytesPerSecond: 3_000_000, clock: time });
    const own = createRateLimiter({ bytesPerSecond: 1_000_000, clock: time });
    const limited = await takeAlways(combine(own, agent.share()), 20_000, { time, signal: stop.signal });
    const free = await takeAlways(agent.share(), 20_000, { time, signal: stop.signal });
    await time.advance(4000);
    stop.abort();
    expect(Math.abs(sum(limited) - 4_000_000)).toBeLessThan(400_000);
    expect(Math.abs(sum(free) - 8_000_000)).toBeLessThan(800_000);
    expect(combine(own, agent).room()).toBeLessThanOrEqual(Math.min(own.room(), agent.room()));
  });
});

describe('a rate limiter without a limit', () => {
  it('lets everything through, and those who wait when its limit ends', async () => {
    const time = new VirtualClock();
    const limiter = createRateLimiter({ bytesPerSecond: Number.POSITIVE_INFINITY, clock: time });
    await limiter.take(1e12);
    await time.advance(1000);
    expect(limiter.room()).toBe(Number.POSITIVE_INFINITY);
    limiter.rate = 1000;
    await limiter.take(limiter.room() + 10_000);
    let isGranted = false;
    const waiting = limiter.take(1).then(() => {
      isGranted = true;
    });
    await time.advance(5_000);
    expect(isGranted).toBe(false);
    limiter.rate = Number.POSITIVE_INFINITY;
    await time.advance(1);
    await waiting;
    limiter.rate = 1000;
    expect(limiter.room()).toBeLessThanOrEqual(16 * 1024);
  });
});
