import { randomInt } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { roundOf, runRound } from '../chaos/chaos.ts';

/** Every lane, either way. `npm run chaos -- --minutes 60` goes on for longer. */
const ROUNDS = 6;
const seed = randomInt(2 ** 31);

describe(`a model on its way, with processes killed at random (seed ${seed})`, () => {
  it.each(Array.from({ length: ROUNDS }, (_, number) => ({ number, ...roundOf(seed, number) })))(
    'is whole or not there, and arrives: $way over $lane',
    async ({ number }) => {
      await expect(runRound(roundOf(seed, number))).resolves.toBeDefined();
    },
    300_000,
  );
});
