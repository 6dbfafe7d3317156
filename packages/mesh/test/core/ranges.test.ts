import { describe, expect, it } from '@jest/globals';
import { differing, rangeHashes, summaryOf } from '../../src/core/gossip/ranges.ts';

const storeOf = (orders: Record<string, number>) => ({
  summary: () => Object.entries(orders).map(([name, order]) => ({ name, order })),
});

describe('rangeHashes', () => {
  it('tell where two differ, whatever the order of their records', () => {
    const a = storeOf({ roster: 1, 'membership/ab00': 1, 'membership/ff01': 2 });
    const b = storeOf({ 'membership/ff01': 2, 'membership/ab00': 3, roster: 1 });
    expect(differing(rangeHashes(a), rangeHashes(a))).toEqual([]);
    expect(differing(rangeHashes(a), rangeHashes(b))).toEqual([0xab]);
    expect(summaryOf(b, [0xab])).toEqual([{ name: 'membership/ab00', order: 3 }]);
    expect(summaryOf(b, undefined)).toHaveLength(3);
  });

  it('put names without a key into the first range', () => {
    expect(differing(rangeHashes(storeOf({ roster: 1, 'odd/zz': 1 })), rangeHashes(storeOf({})))).toEqual([0]);
  });
});
