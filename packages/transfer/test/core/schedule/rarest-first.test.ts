import { describe, expect, it } from '@jest/globals';
import { Schedule } from '../../../src/core/schedule/schedule.ts';

const KIB = 1024;

function scheduleOf(chunks: number, random = (): number => 0): Schedule {
  return new Schedule(new Uint32Array(chunks).fill(256 * KIB), new Uint8Array(chunks), undefined, random);
}

function bits(count: number, ...ids: number[]): Uint8Array {
  const has = new Uint8Array(count);
  for (const id of ids) has[id] = 1;
  return has;
}

describe('chunks of sources that are still fetching', () => {
  it('are asked for in order while nobody says what it has', () => {
    const schedule = scheduleOf(8, () => 0.99);
    expect(schedule.take(schedule.addSource('seed'), 0)).toEqual([0, 1, 2, 3]);
  });

  it('are asked from a source only when it has them, and none is asked for twice', () => {
    const schedule = scheduleOf(8);
    const partial = schedule.addSource('partial');
    schedule.holds(partial, bits(8, 2, 5));
    expect(schedule.take(partial, 0).sort()).toEqual([2, 5]);
    expect(schedule.take(partial, 0)).toEqual([]);
    schedule.gained(partial, [7, 2]);
    expect(schedule.take(partial, 0)).toEqual([7]);
  });

  it('are asked for the rarest first', () => {
    const schedule = scheduleOf(3);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    schedule.holds(a, bits(3, 0, 1, 2));
    schedule.holds(b, bits(3, 0, 2));
    expect(schedule.take(a, 0, 256 * KIB)).toEqual([1]);
  });

  it('come from a whole source when no other has them', () => {
    const schedule = scheduleOf(4);
    const [seed, partial] = [schedule.addSource('seed'), schedule.addSource('partial')];
    schedule.holds(partial, bits(4, 0, 1, 2));
    expect(schedule.take(seed, 0, 256 * KIB)).toEqual([3]);
  });

  it('come from a source that was partial and is whole now', () => {
    const schedule = scheduleOf(4);
    const partial = schedule.addSource('partial');
    schedule.holds(partial, bits(4));
    expect(schedule.take(partial, 0)).toEqual([]);
    schedule.holds(partial, undefined);
    expect(schedule.take(partial, 0)).toHaveLength(4);
  });

  it('are not asked from a slow whole source when another one owes the last of them, but from a fast one', () => {
    const rest = (chunkMs: number): number[] => {
      const schedule = scheduleOf(3);
      const [seed, partial] = [schedule.addSource('seed'), schedule.addSource('partial')];
      schedule.holds(partial, bits(3, 0));
      for (let atMs = 0; atMs < 2 * chunkMs; atMs += chunkMs) {
        const [id = -1] = schedule.take(seed, atMs, 256 * KIB);
        schedule.arrived(seed, id);
        schedule.verified(seed, id, atMs + chunkMs);
      }
      const nowMs = 2 * chunkMs;
      expect(schedule.take(partial, nowMs)).toEqual([0]);
      return schedule.take(seed, nowMs + 60_000);
    };
    expect(rest(5_000)).toEqual([]);
    expect(rest(50)).toEqual([0]);
  });

  it('are asked for again when the source that was asked is gone', () => {
    const schedule = scheduleOf(2);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    schedule.holds(a, bits(2, 0));
    schedule.holds(b, bits(2, 0));
    expect(schedule.take(a, 0)).toEqual([0]);
    schedule.drop(a);
    expect(schedule.take(b, 0)).toEqual([0]);
  });

  it('come sooner from a partial source that a slow one was asked for', () => {
    const schedule = scheduleOf(3);
    const [seed, partial] = [schedule.addSource('seed'), schedule.addSource('partial')];
    schedule.holds(partial, bits(3, 1));
    // It delivers once, so that its speed is known.
    expect(schedule.take(partial, 0)).toEqual([1]);
    schedule.arrived(partial, 1);
    schedule.verified(partial, 1, 10);
    const asked = schedule.take(seed, 10);
    expect(asked.length).toBeGreaterThan(0);
    schedule.gained(partial, asked);
    // Nothing came from the seed for long, and a chunk is missing that the partial source does not have.
    const late = schedule.take(partial, 20_000);
    expect(asked).toEqual(expect.arrayContaining(late));
    schedule.arrived(partial, late[0] as number);
    expect(schedule.verified(partial, late[0] as number, 20_010)).toEqual([seed]);
  });
});
