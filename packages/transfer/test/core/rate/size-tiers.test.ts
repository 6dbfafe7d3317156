import { describe, expect, it } from '@jest/globals';
import { createRateLimiter, limitBySize, tierRate } from '../../../src/index.ts';

const TIERS = [
  { fromBytes: 1000, bytesPerSecond: 500_000 },
  { fromBytes: 10, bytesPerSecond: 900_000 },
];

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
    expect(limitBySize(shared, TIERS, 9)).toBe(shared);
    expect(limitBySize(undefined, TIERS, 9)).toBeUndefined();
    const own = limitBySize(shared, TIERS, 5000);
    const before = shared.room();
    await own?.take(1000);
    expect(shared.room()).toBeLessThan(before);
    expect(own?.room()).toBeLessThanOrEqual(shared.room());
  });
});
