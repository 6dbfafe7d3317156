import { describe, expect, it } from '@jest/globals';
import { MAX_CHUNKS_PER_REQUEST } from '@model-rtc/protocol';
import fc from 'fast-check';
import { ALL_WINDOWS_BYTES, REQUEST_BYTES, SOURCE_WINDOW_BYTES } from '../../src/limits.ts';
import { bufferSize, Schedule } from '../../src/schedule/schedule.ts';

const MIB = 1024 * 1024;

function scheduleOf(count: number, size = MIB, present = new Uint8Array(count)): Schedule {
  return new Schedule(new Uint32Array(count).fill(size), present);
}

function takeAll(schedule: Schedule, source: number): number[][] {
  const requests: number[][] = [];
  for (let ids = schedule.take(source); ids.length > 0; ids = schedule.take(source)) requests.push(ids);
  return requests;
}

describe('the schedule', () => {
  it('keeps several requests in flight, in order, within the window', () => {
    const schedule = scheduleOf(100);
    const requests = takeAll(schedule, schedule.addSource('a'));
    expect(requests.length).toBeGreaterThan(2);
    expect(requests.flat()).toEqual(Array.from({ length: SOURCE_WINDOW_BYTES / MIB }, (_, id) => id));
  });

  it('asks for no more than a request may hold, however small the chunks are', () => {
    const schedule = scheduleOf(10_000, 10);
    const requests = takeAll(schedule, schedule.addSource('a'));
    for (const ids of requests) {
      expect(ids.length).toBeLessThanOrEqual(MAX_CHUNKS_PER_REQUEST);
      expect(ids.length * bufferSize(10)).toBeLessThanOrEqual(REQUEST_BYTES);
    }
  });

  it('waits until a whole request has room, so that requests do not become tiny', () => {
    const schedule = scheduleOf(100);
    const source = schedule.addSource('a');
    const ids = takeAll(schedule, source).flat();
    for (const id of ids.slice(0, 3)) {
      schedule.arrived(source, id);
      schedule.verified(source, id);
      expect(schedule.take(source)).toEqual([]);
    }
    schedule.arrived(source, 3);
    schedule.verified(source, 3);
    expect(schedule.take(source)).toEqual([16, 17, 18, 19]);
  });

  it('shares one bound of memory among many sources', () => {
    const schedule = scheduleOf(1000);
    const sources = Array.from({ length: 10 }, (_, i) => schedule.addSource(`s${i}`));
    const asked = sources.flatMap((source) => takeAll(schedule, source).flat());
    expect(asked.length * MIB).toBeLessThanOrEqual(ALL_WINDOWS_BYTES);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("gives a dropped source's chunks to the others, but not what arrived", () => {
    const schedule = scheduleOf(4);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    expect(schedule.take(a)).toEqual([0, 1, 2, 3]);
    schedule.arrived(a, 0);
    schedule.drop(a);
    expect(schedule.take(b)).toEqual([1, 2, 3]);
    schedule.verified(a, 0);
    expect(schedule.take(a)).toEqual([]);
  });

  it('asks another source after a miss, and the same one when the other is gone', () => {
    const schedule = scheduleOf(1);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    expect(schedule.take(a)).toEqual([0]);
    expect(schedule.missed(a, 0)).toBe('again');
    expect(schedule.take(a)).toEqual([]);
    schedule.drop(b);
    expect(schedule.take(a)).toEqual([0]);
  });

  it('gives up after the first request and three more', () => {
    const schedule = scheduleOf(1);
    const a = schedule.addSource('a');
    const verdicts = [1, 2, 3, 4].map(() => {
      schedule.take(a);
      return schedule.missed(a, 0);
    });
    expect(verdicts).toEqual(['again', 'again', 'again', 'give_up']);
  });

  it('keeps chunks for the one source that has them, and frees them when it misses or goes', () => {
    const schedule = scheduleOf(4);
    const disk = schedule.addSource('disk', [1, 2]);
    const peer = schedule.addSource('peer');
    expect(schedule.take(peer)).toEqual([0, 3]);
    expect(schedule.someMissing).toBe(false);
    expect(schedule.take(disk)).toEqual([1, 2]);
    schedule.missed(disk, 1);
    expect(schedule.someMissing).toBe(true);
    schedule.drop(disk);
    expect(schedule.take(peer)).toEqual([1, 2]);
  });

  it('asks again for what was lost on the disk', () => {
    const schedule = scheduleOf(3, MIB, new Uint8Array([1, 1, 1]));
    const a = schedule.addSource('a');
    expect(schedule.allPresent).toBe(true);
    schedule.lost([1]);
    expect(schedule.allPresent).toBe(false);
    expect(schedule.take(a)).toEqual([1]);
  });

  it('never asks two sources for the same chunk at once, and ends with all present, whatever happens', () => {
    const events = fc.array(fc.tuple(fc.nat(2), fc.constantFrom('verify', 'miss', 'lose', 'drop'), fc.nat()), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 * MIB }), { minLength: 1, maxLength: 60 }),
        events,
        (sizes, list) => {
          const schedule = new Schedule(Uint32Array.from(sizes), new Uint8Array(sizes.length));
          const sources = [schedule.addSource('a'), schedule.addSource('b'), schedule.addSource('c', [0, 5])];
          const asked = new Map<number, number>();
          const present = new Set<number>();
          const fill = (): void => {
            for (const source of sources) {
              for (const id of schedule.take(source)) {
                if (asked.has(id) || present.has(id)) throw new Error(`chunk ${id} is asked for twice`);
                asked.set(id, source);
              }
            }
          };
          for (const [source, what, pick] of list) {
            fill();
            const mine = [...asked].filter(([, owner]) => owner === source).map(([id]) => id);
            const id = mine[pick % Math.max(1, mine.length)];
            if (what === 'drop' && source === 2) {
              schedule.drop(source);
              for (const gone of mine) asked.delete(gone);
            } else if (what === 'lose') {
              const lost = [...present][pick % Math.max(1, present.size)];
              if (lost !== undefined) schedule.lost([lost]);
              if (lost !== undefined) present.delete(lost);
            } else if (id !== undefined) {
              asked.delete(id);
              if (what === 'miss') schedule.missed(source, id);
              else {
                schedule.arrived(source, id);
                schedule.verified(source, id);
                present.add(id);
              }
            }
          }
          for (let round = 0; round < 500 && !schedule.allPresent; round++) {
            fill();
            for (const [id, source] of [...asked]) {
              schedule.arrived(source, id);
              schedule.verified(source, id);
              asked.delete(id);
              present.add(id);
            }
          }
          expect(schedule.allPresent).toBe(true);
          expect(present.size).toBe(sizes.length);
        },
      ),
    );
  });
});
