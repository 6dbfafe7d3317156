import { randomInt } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type FuzzTarget, fuzz } from '../fuzz/fuzz.ts';
import { TARGETS } from '../fuzz/targets.ts';

const INPUTS = 400;

describe('every reader of what comes from outside', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('takes whatever comes: %s', async (_, target) => {
    const { faults, inputs } = await fuzz(target, { seed: randomInt(2 ** 31), inputs: INPUTS });
    expect(faults.map(({ seed, error }) => `--target ${target.name} --seed ${seed} --inputs 1: ${error}`)).toEqual([]);
    expect(inputs).toBe(INPUTS);
  });
});

describe('the fuzzer', () => {
  const fragile: FuzzTarget = {
    name: 'fragile',
    samples: async () => [Uint8Array.from({ length: 40 }, (_, i) => i)],
    read(bytes) {
      if (bytes[7] === 0xff) throw new TypeError('the seventh byte');
    },
  };

  it('finds a fault, and finds it again by its seed', async () => {
    const { faults } = await fuzz(fragile, { seed: 1, inputs: 20_000 });
    expect(faults.length).toBeGreaterThan(0);
    for (const { seed, input } of faults) {
      const again = await fuzz(fragile, { seed, inputs: 1 });
      expect(again.faults).toMatchObject([{ seed, input, error: new TypeError('the seventh byte') }]);
    }
  });
});
