import { describe, expect, it } from '@jest/globals';
import { fitPlans } from '../../src/hash/hash-large-files.ts';

const MIB = 1024 * 1024;

describe('fitPlans', () => {
  const plans = [[300_000, 300_000, 300_000, 300_000], [], [MIB, MIB, MIB, MIB, MIB]];

  it('keeps the plans that fit', () => {
    expect(fitPlans(plans, 9)).toEqual(plans);
  });

  it('cuts every 1 MiB when they do not', () => {
    expect(fitPlans(plans, 8)).toEqual([[MIB, 1_200_000 - MIB], [], [MIB, MIB, MIB, MIB, MIB]]);
  });

  it('cuts larger chunks when those are still too many', () => {
    expect(fitPlans(plans, 4)).toEqual([[1_200_000], [], [2 * MIB, 2 * MIB, MIB]]);
    expect(fitPlans(plans, 3)).toEqual([[1_200_000], [], [4 * MIB, MIB]]);
  });

  it('refuses a model that fits no manifest', () => {
    expect(() => fitPlans(plans, 2)).toThrow(/too large for one manifest/);
  });
});
