import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { createRateLimiter, limitTransfer, type Priority, tierRate } from '../../../src/index.ts';

const TIERS = [
  { fromBytes: 1000, bytesPerSecond: 500_000 },
  { fromBytes: 10, bytesPerSecond: 900_000 },
];

function prioritized(clock: VirtualClock) {
  const tell: ((priority: Priority) => void)[] = [];
  const limiter = createRateLimiter({ bytesPerSecond: Number.POSITIVE_INFINITY, clock });
  const transfer = { limiter, onPriority: (listener: (priority: Priority) => void) => void tell.push(listener) };
  return { transfer, tell };
}

describe('limits by the size of a model', () => {
  it('are those of the highest tier that it reaches', () => {
    expect([9, 10, 999, 1000, 5000].map((bytes) => tierRate(TIERS, bytes))).toEqual([
      undefined,
      900_000,
      900_000,
      500_000,
      500_000,
    ]);
    expect(tierRate([], 5000)).toBeUndefined();
  });

  it('hold within the limit of all transfers', async () => {
    const shared = createRateLimiter({ bytesPerSecond: 1_000_000 });
    const { transfer } = prioritized(new VirtualClock());
    expect(limitTransfer(transfer, undefined, TIERS, 9)).toBe(transfer.limiter);
    const own = limitTransfer(transfer, shared, TIERS, 5000);
    const before = shared.room();
    await own.take(1000);
    expect(shared.room()).toBeLessThan(before);
    expect(own.room()).toBeLessThanOrEqual(shared.room());
  });

  it('do not hold for a critical transfer, and hold again when it is one no longer', async () => {
    const { transfer, tell } = prioritized(new VirtualClock());
    const own = limitTransfer(transfer, undefined, TIERS, 5000);
    expect(own.room()).toBeLessThan(500_000);
    tell[0]?.('critical');
    expect(own.room()).toBe(Number.POSITIVE_INFINITY);
    tell[0]?.('high');
    expect(own.room()).toBeLessThan(500_000);
  });
});
