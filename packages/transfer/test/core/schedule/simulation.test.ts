import { describe, expect, it } from '@jest/globals';
import { type Simulated, type SimulatedSource, Simulation } from '../../support/simulated.ts';

const MIB = 1024 * 1024;
const MB = 1_000_000;

function simulate(chunks: number, sources: readonly SimulatedSource[]): Simulated {
  return new Simulation(new Array<number>(chunks).fill(MIB), sources).run();
}

/** What the sources need when none of them is idle before the end. */
function idealMs(chunks: number, bytesPerSecond: number): number {
  return (chunks * MIB * 1000) / bytesPerSecond;
}

describe('sources in virtual time', () => {
  it.each([
    [1, 200],
    [20, 200],
    [100, 400],
    [20, 40],
  ])('with rates of 10:10:1 and %d ms of delay bring %d chunks within 10 %% of the ideal', (delayMs, chunks) => {
    const { tookMs, duplicateBytes } = simulate(chunks, [
      { name: 'fast', bytesPerSecond: 10 * MB, delayMs },
      { name: 'slow', bytesPerSecond: MB, delayMs },
      { name: 'as fast', bytesPerSecond: 10 * MB, delayMs },
    ]);
    // The first answer and the last cannot come before their delay has passed, nor chunks be halved.
    expect(tookMs).toBeLessThan(idealMs(chunks, 21 * MB) * 1.1 + 2 * delayMs + 105);
    expect(duplicateBytes).toBeLessThan(4 * MIB);
  });

  it('bring all when one leaves in the middle', () => {
    const { tookMs, bytesOf } = simulate(400, [
      { name: 'a', bytesPerSecond: 10 * MB, delayMs: 10 },
      { name: 'b', bytesPerSecond: 10 * MB, delayMs: 10 },
      { name: 'leaving', bytesPerSecond: 10 * MB, delayMs: 10, leavesAtMs: 5_000 },
    ]);
    const left = 400 * MIB - 3 * 5 * 10 * MB;
    expect(tookMs).toBeLessThan((5_000 + (left * 1000) / (20 * MB)) * 1.1);
    expect(bytesOf.get('leaving')).toBeGreaterThan(40 * MB);
  });

  it('take one in that comes in the middle', () => {
    const { tookMs } = simulate(400, [
      { name: 'a', bytesPerSecond: 10 * MB, delayMs: 10 },
      { name: 'late', bytesPerSecond: 30 * MB, delayMs: 10, joinsAtMs: 10_000 },
    ]);
    expect(tookMs).toBeLessThan((10_000 + ((400 * MIB - 100 * MB) * 1000) / (40 * MB)) * 1.1);
  });

  it('are not held up by one that falls silent at the end', () => {
    const chunks = 200;
    const all = idealMs(chunks, 20 * MB);
    const { tookMs } = simulate(chunks, [
      { name: 'a', bytesPerSecond: 10 * MB, delayMs: 20 },
      { name: 'silent', bytesPerSecond: 10 * MB, delayMs: 20, silentFromMs: all - 300 },
    ]);
    expect(tookMs).toBeLessThan(all * 1.1);
  });

  it('are not held up by one that never sent anything', () => {
    const { tookMs } = simulate(40, [
      { name: 'silent', bytesPerSecond: 10 * MB, silentFromMs: 0 },
      { name: 'a', bytesPerSecond: 10 * MB, delayMs: 20 },
    ]);
    expect(tookMs).toBeLessThan(idealMs(40, 10 * MB) + 1_500);
  });

  it('fill a long fat path after a few round trips, and a short one at once', () => {
    for (const delayMs of [0, 50, 120]) {
      const { tookMs } = simulate(1000, [{ name: 'one', bytesPerSecond: 100 * MB, delayMs }]);
      expect(tookMs).toBeLessThan(idealMs(1000, 100 * MB) * 1.05 + 6 * delayMs);
    }
  });

  it('are asked for hardly anything twice when they are alike', () => {
    const lanes = Array.from({ length: 16 }, (_, i) => ({ name: `${i}`, bytesPerSecond: MB, delayMs: 50 }));
    const { tookMs, duplicateBytes } = simulate(400, lanes);
    expect(tookMs).toBeLessThan(idealMs(400, 16 * MB) * 1.1);
    expect(duplicateBytes).toBeLessThan(0.02 * 400 * MIB);
  });
});
