import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { planEviction, planTidying } from '../../src/data-sets/plan-eviction.ts';
import type { StoredSet } from '../../src/data-sets/types.ts';

const LIMITS = { maxBytes: 100, maxBytesPerOwner: 60, maxAgeMs: 1000 };

/** Used in the order in which they are given. */
function setsOf(...given: [name: string, bytes: number, ...owners: string[]][]): StoredSet[] {
  return given.map(([name, bytes, ...owners], i) => ({ digest: name as Digest, bytes, owners, lastUsedMs: i }));
}

function plan(sets: StoredSet[], bytes: number, { owner = 'me', needed = '', coming = [] as [string, number][] } = {}) {
  const options = {
    sets: [...sets].reverse(),
    limits: LIMITS,
    needed: new Set([...needed] as Digest[]),
    coming: coming.map(([other, size]) => ({ owner: other, bytes: size })),
  };
  const { gone, disowned, refusedBy } = planEviction({ owner, bytes }, options);
  return { gone: [...gone].join(''), disowned: [...disowned].join(''), refusedBy };
}

describe('planning what goes for new data', () => {
  it('lets everything stay while there is room', () => {
    expect(plan(setsOf(['a', 50, 'you'], ['b', 10, 'me']), 40)).toEqual({
      gone: '',
      disowned: '',
      refusedBy: undefined,
    });
  });

  it('lets go what was used longest ago, and no more than it takes', () => {
    expect(plan(setsOf(['a', 30, 'x'], ['b', 30, 'y'], ['c', 30, 'z']), 50)).toMatchObject({ gone: 'ab' });
  });

  it('never lets go what a job needs', () => {
    const sets = setsOf(['a', 30, 'x'], ['b', 30, 'y'], ['c', 30, 'z']);
    expect(plan(sets, 50, { needed: 'a' })).toMatchObject({ gone: 'bc' });
    expect(plan(sets, 50, { needed: 'abc' })).toEqual({ gone: '', disowned: '', refusedBy: 'cache' });
  });

  it("counts what is coming already, to the cache and to the owner's share", () => {
    expect(plan(setsOf(['a', 30, 'x']), 40, { coming: [['y', 40]] })).toMatchObject({ gone: 'a' });
    expect(plan([], 40, { coming: [['me', 40]] })).toMatchObject({ refusedBy: 'owner' });
  });

  it("lets an owner's own oldest data go for the owner's share, and keeps it for others who have it", () => {
    const sets = setsOf(['a', 30, 'me', 'you'], ['b', 10, 'you'], ['c', 20, 'me'], ['d', 10, 'me']);
    expect(plan(sets, 20)).toEqual({ gone: '', disowned: 'a', refusedBy: undefined });
    expect(plan(sets, 50)).toEqual({ gone: 'c', disowned: 'a', refusedBy: undefined });
    expect(plan(sets, 50, { needed: 'ac' })).toMatchObject({ refusedBy: 'owner' });
  });
});

describe('tidying', () => {
  const tidy = (sets: StoredSet[], nowMs: number, needed = '') =>
    planTidying({ sets, limits: LIMITS, needed: new Set([...needed] as Digest[]) }, nowMs).join('');

  it('lets go what nobody used for too long, unless a job needs it', () => {
    const sets = setsOf(['a', 1, 'x'], ['b', 1, 'y'], ['c', 1, 'z']);
    expect(tidy(sets, 1000)).toBe('');
    expect(tidy(sets, 1002)).toBe('ab');
    expect(tidy(sets, 1002, 'a')).toBe('b');
  });

  it('lets go what is above a limit that was lowered, the oldest first', () => {
    expect(tidy(setsOf(['a', 60, 'x'], ['b', 60, 'y'], ['c', 30, 'z']), 5)).toBe('a');
  });
});
