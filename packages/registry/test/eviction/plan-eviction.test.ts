import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Candidate } from '../../src/eviction/plan-eviction.ts';
import { planEviction } from '../../src/index.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 1000 * HOUR_MS;
const model = (id: string, bytes: number, unusedHours: number, spared?: 'alias' | 'pin') => ({
  ...{ id, bytes, spared },
  lastUsedMs: NOW_MS - unusedHours * HOUR_MS,
});
const plan = (models: readonly Candidate[], capBytes: number, bytes: number, comingBytes = 0) =>
  planEviction(models, { capBytes, bytes, comingBytes }, NOW_MS)?.map(({ id }) => id);

describe('what goes to make room', () => {
  it('is nothing where all fits', () => {
    expect(plan([model('a', 50, 9)], 100, 50)).toEqual([]);
  });

  it('is first what took the most room for the longest time unused', () => {
    const models = [model('small-old', 1, 100), model('large-new', 60, 1), model('large-old', 60, 50)];
    expect(plan(models, 130, 10)).toEqual(['large-old']);
    expect(plan([model('small-old', 10, 100), model('large-new', 60, 1)], 75, 10)).toEqual(['small-old']);
  });

  it('is nothing that turns out not to be needed', () => {
    const models = [model('little', 5, 900), model('large', 80, 50)];
    expect(plan(models, 90, 60)).toEqual(['large']);
  });

  it('is never what has a name or a pin, however much is missing', () => {
    expect(plan([model('a', 50, 900, 'alias'), model('p', 50, 900, 'pin'), model('c', 10, 1)], 120, 20)).toEqual(['c']);
    expect(plan([model('a', 50, 900, 'alias'), model('c', 10, 1)], 60, 20)).toBeUndefined();
  });

  it('counts what other transfers bring', () => {
    expect(plan([model('a', 50, 9)], 100, 40)).toEqual([]);
    expect(plan([model('a', 50, 9)], 100, 40, 40)).toEqual(['a']);
  });

  it('counts a file that several models share once, and frees it with the last of them', () => {
    const shared = (file: string, bytes: number) => ({ shared: new Map([[file, { bytes, names: 1 }]]) });
    const named = { ...model('named', 60, 1, 'alias'), ...shared('x', 50) };
    const twin = { ...model('twin', 60, 900), ...shared('x', 50) };
    const other = model('other', 20, 1);
    // 60 of the one, 10 of the other that it does not share, 20.
    expect(plan([named, twin, other], 100, 10)).toEqual([]);
    // However long nobody used it, the twin frees 10 only.
    expect(plan([named, twin, other], 100, 25)).toEqual(['other']);
    expect(plan([named, twin, other], 100, 35)).toEqual(['twin', 'other']);
    const pair = [
      { ...model('a', 50, 900), ...shared('y', 50) },
      { ...model('b', 50, 800), ...shared('y', 50) },
    ];
    expect(plan([...pair, model('c', 10, 1)], 60, 40)).toEqual(['a', 'b']);
    expect(plan([{ ...model('same', 40, 1), shared: new Map([['z', { bytes: 20, names: 2 }]]) }], 30, 10)).toEqual([]);
  });

  it('makes enough room and no model of it could have stayed', () => {
    const some = fc.record({
      bytes: fc.integer({ min: 0, max: 100 }),
      unusedHours: fc.integer({ min: 0, max: 999 }),
      isSpared: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 12 }), fc.nat(300), fc.nat(200), (given, capBytes, bytes) => {
        const models = given.map((each, i) =>
          model(`m${i}`, each.bytes, each.unusedHours, each.isSpared ? 'pin' : undefined),
        );
        const gone = planEviction(models, { capBytes, bytes }, NOW_MS);
        const sum = (all: readonly { readonly bytes: number }[]) => all.reduce((total, one) => total + one.bytes, 0);
        const spared = models.filter((one) => one.spared !== undefined);
        if (gone === undefined) return sum(spared) + bytes > capBytes;
        const left = sum(models) - sum(gone) + bytes;
        const isTight = gone.every((one) => one.spared === undefined && left + one.bytes > capBytes);
        return gone.length === 0 ? sum(models) + bytes <= capBytes : left <= capBytes && isTight;
      }),
    );
  });
});
