import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import {
  BEAT_BYTES,
  type Beat,
  hintOf,
  packBeats,
  packHints,
  unpackBeats,
  unpackHints,
} from '../../src/core/beats/beat.ts';
import { BeatBook } from '../../src/core/beats/beat-book.ts';
import { type BeatChain, createBeatChain, hashForward } from '../../src/core/beats/chain.ts';
import { MAX_BEATS } from '../../src/core/limits.ts';
import { keyTextOf, START_MS, seedOf } from '../support/people.ts';

const KEY = keyTextOf(2);
const INTERVAL_MS = 300_000;

function chainOf(seed = 9, fields: Partial<Parameters<typeof createBeatChain>[0]> = {}): BeatChain {
  return createBeatChain({
    key: KEY,
    seed: seedOf(seed).subarray(0, 16),
    intervalMs: INTERVAL_MS,
    count: 72,
    ...fields,
  });
}

const beat = (chain: BeatChain, index: number, sequence = 1): Beat => ({
  ...{ hint: hintOf(KEY), sequence, index },
  value: chain.valueAt(index),
});

function bookAt(clock: { nowMs: number }, chain = chainOf()): BeatBook {
  const book = new BeatBook(() => clock.nowMs);
  book.begin({ key: KEY, sequence: 1, issuedAtMs: START_MS, beats: chain.plan });
  return book;
}

const after = (intervals: number): number => START_MS + intervals * INTERVAL_MS;

describe('a chain of beats', () => {
  it('ends at its anchor from each of its values, for this key alone', () => {
    const chain = chainOf();
    for (const index of [1, 40, 72]) {
      expect(hashForward(KEY, chain.valueAt(index), index)).toEqual(chain.plan.anchor);
      expect(hashForward(keyTextOf(3), chain.valueAt(index), index)).not.toEqual(chain.plan.anchor);
    }
    expect(chainOf(9, { count: 1e9 }).plan.count).toBe(MAX_BEATS);
  });

  it('travels in 34 bytes for each beat, and any other length is refused', () => {
    const anyBeat = fc.record({
      hint: fc.nat().map((n) => n.toString(16).padStart(16, '0')),
      sequence: fc.maxSafeNat(),
      index: fc.nat(65_535),
      value: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    });
    fc.assert(
      fc.property(fc.array(anyBeat), (beats) => {
        const bytes = packBeats(beats);
        expect(bytes).toHaveLength(beats.length * BEAT_BYTES);
        expect(unpackBeats(bytes)).toEqual(beats);
        expect(unpackHints(packHints(beats.map(({ hint }) => hint)))).toEqual(beats.map(({ hint }) => hint));
      }),
      { numRuns: runs(200) },
    );
    expect(() => unpackBeats(new Uint8Array(BEAT_BYTES + 1))).toThrow('34 bytes');
  });
});

describe('BeatBook', () => {
  it('knows when a node was alive last, whichever of its beats were lost', () => {
    const clock = { nowMs: after(6) };
    const chain = chainOf();
    const book = bookAt(clock, chain);
    expect(book.aliveAtMs(KEY)).toBe(START_MS);
    expect(book.take(beat(chain, 2)).kind).toBe('news');
    expect(book.take(beat(chain, 6)).kind).toBe('news');
    expect(book.aliveAtMs(KEY)).toBe(after(6));
    expect(book.beatOf(hintOf(KEY))).toEqual(beat(chain, 6));
  });

  it('takes nothing from replays, beats of the future and guesses', () => {
    const clock = { nowMs: after(3) };
    const chain = chainOf();
    const book = bookAt(clock, chain);
    book.take(beat(chain, 3));
    expect(book.take(beat(chain, 3)).kind).toBe('ignored');
    expect(book.take(beat(chain, 1)).kind).toBe('ignored');
    expect(book.take(beat(chain, 4)).kind).toBe('ignored');
    clock.nowMs = after(4) - 120_000;
    expect(book.take({ ...beat(chain, 4), value: beat(chain, 3).value })).toEqual({
      kind: 'wrong',
      key: KEY,
      steps: 1,
    });
    expect(book.take({ ...beat(chain, 4), value: chainOf(8).valueAt(4) }).kind).toBe('wrong');
    expect(book.aliveAtMs(KEY)).toBe(after(3));
    expect(book.take(beat(chain, 4)).kind).toBe('news');
  });

  it('hashes no more than a chain is long, whatever number a beat has', () => {
    const clock = { nowMs: START_MS + 1e12 };
    const chain = chainOf();
    const book = bookAt(clock, chain);
    expect(book.take({ ...beat(chain, 72), index: 73 })).toEqual({ kind: 'wrong', key: KEY, steps: 0 });
    expect(book.take({ ...beat(chain, 72), index: 65_535 })).toEqual({ kind: 'wrong', key: KEY, steps: 0 });
    expect(book.take(beat(chain, 72)).kind).toBe('news');
  });

  it('waits for the head that a beat belongs to', () => {
    const book = bookAt({ nowMs: after(9) });
    expect(book.take(beat(chainOf(8), 1, 2))).toEqual({ kind: 'early', key: KEY });
    expect(book.take({ ...beat(chainOf(8), 1), hint: 'ab'.repeat(8) })).toEqual({ kind: 'early', key: undefined });
  });

  it('begins anew with each head, and takes none for one that announces none', () => {
    const clock = { nowMs: after(9) };
    const book = bookAt(clock);
    book.take(beat(chainOf(), 5));
    book.begin({ key: KEY, sequence: 2, issuedAtMs: after(6), beats: undefined });
    expect(book.aliveAtMs(KEY)).toBe(after(6));
    expect(book.indexOf(KEY)).toBeUndefined();
    expect(book.beatOf(hintOf(KEY))).toBeUndefined();
    expect(book.take(beat(chainOf(), 1, 2)).kind).toBe('wrong');
  });

  it('notices that somebody goes on with the chain of a head that was replaced: two machines have the key', () => {
    const clock = { nowMs: after(2) };
    const [first, second] = [chainOf(8), chainOf(9)];
    const book = bookAt(clock, first);
    book.begin({ key: KEY, sequence: 2, issuedAtMs: after(1.9), beats: second.plan });
    // What the only machine revealed before it signed the newer head may come late.
    expect(book.take(beat(first, 1)).kind).toBe('ignored');
    expect(book.take(beat(first, 2)).kind).toBe('ignored');
    clock.nowMs = after(3);
    expect(book.take({ ...beat(first, 3), value: seedOf(1).subarray(0, 16) }).kind).toBe('wrong');
    expect(book.take(beat(first, 3))).toEqual({ kind: 'doubled', key: KEY });
    expect(book.take(beat(first, 3)).kind).toBe('ignored');
    expect(book.take(beat(second, 1, 2)).kind).toBe('news');
  });

  it('notices that too where the first machine has signed anew by then, since news of its head travels faster than beats', () => {
    const clock = { nowMs: after(3.1) };
    const [first, second, third] = [chainOf(8), chainOf(9), chainOf(10)];
    const book = bookAt(clock, first);
    book.begin({ key: KEY, sequence: 2, issuedAtMs: after(1.9), beats: second.plan });
    book.begin({ key: KEY, sequence: 3, issuedAtMs: after(3), beats: third.plan });
    expect(book.take(beat(second, 1, 2)).kind).toBe('ignored');
    expect(book.take(beat(first, 3))).toEqual({ kind: 'doubled', key: KEY });
  });

  it('says the same of a moment in the past, however many later beats are known', () => {
    const clock = { nowMs: after(9) };
    const chain = chainOf();
    const [ahead, behind] = [bookAt(clock, chain), bookAt(clock, chain)];
    ahead.take(beat(chain, 9));
    behind.take(beat(chain, 7));
    expect(ahead.indexOf(KEY, after(7.5))).toBe(7);
    expect(behind.indexOf(KEY, after(7.5))).toBe(7);
    expect([ahead.indexOf(KEY), behind.indexOf(KEY)]).toEqual([9, 7]);
    expect(ahead.indexOf(KEY, 0)).toBe(0);
  });
});
