import { describe, expect, it } from '@jest/globals';
import { MAX_CHUNKS_PER_REQUEST } from '@model-rtc/protocol';
import {
  ALL_WINDOWS_BYTES,
  ASK_AGAIN_MS,
  REQUEST_BYTES,
  SOURCE_WINDOW_BYTES,
  START_WINDOW_BYTES,
} from '../../../src/core/limits.ts';
import { bufferSize } from '../../../src/core/schedule/buffer-size.ts';
import { Schedule } from '../../../src/core/schedule/schedule.ts';

const MIB = 1024 * 1024;

function scheduleOf(count: number, size = MIB, present = new Uint8Array(count)): Schedule {
  return new Schedule(new Uint32Array(count).fill(size), present);
}

function takeAll(schedule: Schedule, source: number, nowMs = 0): number[][] {
  const requests: number[][] = [];
  for (let ids = schedule.take(source, nowMs); ids.length > 0; ids = schedule.take(source, nowMs)) requests.push(ids);
  return requests;
}

function deliver(schedule: Schedule, source: number, ids: Iterable<number>, nowMs: number): void {
  for (const id of ids) {
    schedule.arrived(source, id);
    schedule.verified(source, id, nowMs);
  }
}

describe('the schedule', () => {
  it('keeps several requests in flight, in order, within the window', () => {
    const schedule = scheduleOf(100);
    const requests = takeAll(schedule, schedule.addSource('a'));
    expect(requests.length).toBeGreaterThan(2);
    expect(requests.flat()).toEqual(Array.from({ length: START_WINDOW_BYTES / MIB }, (_, id) => id));
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
    const schedule = scheduleOf(1000, 100_000);
    const source = schedule.addSource('a');
    const ids = takeAll(schedule, source).flat();
    expect(ids).toHaveLength(32);
    for (const id of ids.slice(0, 7)) {
      schedule.arrived(source, id);
      expect(schedule.take(source, 0)).toEqual([]);
      schedule.missed(source, id, 'lost', 0);
      expect(schedule.take(source, 0)).toEqual([]);
    }
    schedule.missed(source, ids[7] as number, 'lost', 0);
    expect(schedule.take(source, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ['a slow source for single chunks', 3_000, 1],
    ['a fast source for several megabytes', 2, 4],
  ])('asks %s', (_what, msPerChunk, chunks) => {
    const schedule = scheduleOf(1000);
    const source = schedule.addSource('a');
    const queue: number[] = [];
    let last: number[] = [];
    for (let nowMs = msPerChunk; nowMs <= 60 * msPerChunk; nowMs += msPerChunk) {
      const requests = takeAll(schedule, source, nowMs - msPerChunk);
      queue.push(...requests.flat());
      last = requests.at(-1) ?? last;
      deliver(schedule, source, queue.splice(0, 1), nowMs);
    }
    expect(last).toHaveLength(chunks);
  });

  it('shares one bound of memory among many sources', () => {
    const schedule = scheduleOf(1000);
    const sources = Array.from({ length: 10 }, (_, i) => schedule.addSource(`s${i}`));
    const asked = sources.flatMap((source) => takeAll(schedule, source).flat());
    expect(asked.length * MIB).toBeLessThanOrEqual(ALL_WINDOWS_BYTES);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('lets a fast source have what many slow ones do not need', () => {
    const schedule = scheduleOf(4000);
    // Their windows are of two chunks and a bit, and besides there is room for the largest one.
    const count = Math.floor((ALL_WINDOWS_BYTES - SOURCE_WINDOW_BYTES) / (2.5 * MIB));
    const slow = Array.from({ length: count }, (_, i) => schedule.addSource(`slow ${i}`));
    for (const source of slow) {
      for (const [i, id] of takeAll(schedule, source).flat().entries())
        deliver(schedule, source, [id], 2_000 * (i + 1));
    }
    const fast = schedule.addSource('fast');
    for (let nowMs = 8_001; nowMs < 8_050; nowMs++) {
      deliver(schedule, fast, takeAll(schedule, fast, nowMs - 1).flat(), nowMs);
    }
    const asked = slow.map((source) => takeAll(schedule, source, 8_050).flat().length);
    expect(Math.max(...asked)).toBeLessThanOrEqual(2);
    expect(takeAll(schedule, fast, 8_050).flat()).toHaveLength(16);
  });

  it("gives a dropped source's chunks to the others, but not what arrived", () => {
    const schedule = scheduleOf(4, 100_000);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    expect(schedule.take(a, 0)).toEqual([0, 1, 2, 3]);
    schedule.arrived(a, 0);
    schedule.drop(a);
    expect(schedule.take(b, 0)).toEqual([1, 2, 3]);
    schedule.verified(a, 0, 0);
    expect(schedule.take(a, 0)).toEqual([]);
  });

  it('asks another source after a miss, and the same one when the other is gone', () => {
    const schedule = scheduleOf(1);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    expect(schedule.take(a, 0)).toEqual([0]);
    expect(schedule.missed(a, 0, 'lost', 0)).toBe('again');
    expect(schedule.take(a, 0)).toEqual([]);
    schedule.drop(b);
    expect(schedule.take(a, 0)).toEqual([0]);
  });

  it('gives up after the first request and three more', () => {
    const schedule = scheduleOf(1);
    const a = schedule.addSource('a');
    const verdicts = [1, 2, 3, 4].map(() => {
      schedule.take(a, 0);
      return schedule.missed(a, 0, 'lost', 0);
    });
    expect(verdicts).toEqual(['again', 'again', 'again', 'give_up']);
  });

  it('keeps chunks for the one source that has them, and frees them when it failures or goes', () => {
    const schedule = scheduleOf(4, 100_000);
    const disk = schedule.addSource('disk', [1, 2]);
    const peer = schedule.addSource('peer');
    expect(schedule.take(peer, 0)).toEqual([0, 3]);
    expect(schedule.someMissing).toBe(false);
    expect(schedule.take(disk, 0)).toEqual([1, 2]);
    schedule.missed(disk, 1, 'lost', 0);
    expect(schedule.someMissing).toBe(true);
    schedule.drop(disk);
    expect(schedule.take(peer, 0)).toEqual([1, 2]);
  });

  it('asks again for what was lost on the disk', () => {
    const schedule = scheduleOf(3, MIB, new Uint8Array([1, 1, 1]));
    const a = schedule.addSource('a');
    expect(schedule.allPresent).toBe(true);
    schedule.lost([1]);
    expect(schedule.allPresent).toBe(false);
    expect(schedule.take(a, 0)).toEqual([1]);
  });

  it('asks another lane of the same origin after a miss, but another origin first', () => {
    const schedule = scheduleOf(1);
    const [lane1, lane2, other] = [schedule.addSource('a'), schedule.addSource('a'), schedule.addSource('b')];
    schedule.take(lane1, 0);
    schedule.missed(lane1, 0, 'lost', 0);
    expect(schedule.take(lane1, 0)).toEqual([]);
    expect(schedule.take(lane2, 0)).toEqual([]);
    schedule.drop(other);
    expect(schedule.take(lane1, 0)).toEqual([]);
    expect(schedule.take(lane2, 0)).toEqual([0]);
  });

  it('tells of an origin that sent three wrong chunks over any of its lanes, when there is another', () => {
    const schedule = scheduleOf(40, 100_000);
    const [lane1, lane2] = [schedule.addSource('a'), schedule.addSource('a')];
    const [first = 0, second = 0] = schedule.take(lane1, 0);
    const [third = 0, fourth = 0] = schedule.take(lane2, 0);
    expect(schedule.missed(lane1, first, 'wrong', 0)).toBe('again');
    expect(schedule.missed(lane1, second, 'lost', 0)).toBe('again');
    expect(schedule.missed(lane2, third, 'wrong', 0)).toBe('again');
    schedule.addSource('b');
    expect(schedule.missed(lane2, fourth, 'wrong', 0)).toBe('drop_origin');
  });

  it('bears with wrong chunks of the only origin until one of them came wrong too often', () => {
    const schedule = scheduleOf(8, 100_000);
    const a = schedule.addSource('a');
    for (let round = 0; round < 4; round++) {
      for (const id of schedule.take(a, 0))
        expect(schedule.missed(a, id, 'wrong', 0)).toBe(round < 3 ? 'again' : 'give_up');
    }
  });

  it('asks a source again after a second for what it did not have, and others at once', () => {
    const schedule = scheduleOf(4, 100_000);
    const [partial, whole] = [schedule.addSource('partial'), schedule.addSource('whole')];
    expect(schedule.take(partial, 0)).toEqual([0, 1, 2, 3]);
    schedule.lacking(partial, 0, ASK_AGAIN_MS);
    schedule.lacking(partial, 2, ASK_AGAIN_MS);
    deliver(schedule, partial, [1, 3], 0);
    expect(schedule.take(partial, 999)).toEqual([]);
    expect(schedule.take(partial, 1_000)).toEqual([0, 2]);
    schedule.lacking(partial, 0, 1_000 + ASK_AGAIN_MS);
    expect(schedule.take(whole, 1_000)).toEqual([0]);
  });

  it('asks no other lane of an origin for what it just said that it does not have', () => {
    const schedule = scheduleOf(1);
    const [one, two] = [schedule.addSource('partial'), schedule.addSource('partial')];
    expect(schedule.take(one, 0)).toEqual([0]);
    schedule.lacking(one, 0, ASK_AGAIN_MS);
    expect(schedule.take(two, 10)).toEqual([]);
    expect(schedule.take(schedule.addSource('other'), 10)).toEqual([0]);
    schedule.lacking(2, 0, ASK_AGAIN_MS);
    expect(schedule.take(two, ASK_AGAIN_MS)).toEqual([0]);
  });

  it('asks a source for what comes after thousands of chunks that it does not have', () => {
    const schedule = scheduleOf(10_000, 100);
    const source = schedule.addSource('partial');
    let highest = 0;
    for (let nowMs = 0; highest < 9_999 && nowMs < 60_000; nowMs += 100) {
      for (const id of takeAll(schedule, source, nowMs).flat()) {
        highest = Math.max(highest, id);
        if (id < 6_000) schedule.lacking(source, id, nowMs + ASK_AGAIN_MS);
        else deliver(schedule, source, [id], nowMs);
      }
    }
    expect(highest).toBe(9_999);
  });

  it('asks an idle source for what a slower one would bring last, once, when nothing else is left', () => {
    const schedule = scheduleOf(14);
    const [slow, fast] = [schedule.addSource('slow'), schedule.addSource('fast')];
    const late = takeAll(schedule, slow).flat();
    deliver(schedule, slow, late.splice(0, 1), 2_000);
    for (let nowMs = 2_000; ; nowMs += 10) {
      const ids = schedule.take(fast, nowMs).filter((id) => !late.includes(id));
      if (ids.length === 0) break;
      deliver(schedule, fast, ids, nowMs + 10);
    }
    // The last `take` took it.
    expect(schedule.askedOf(fast)).toBe(1);
    const third = schedule.addSource('third');
    const stolen = late.at(-1) as number;
    schedule.arrived(fast, stolen);
    expect(schedule.verified(fast, stolen, 3_000)).toEqual([slow]);
    expect(schedule.askedOf(slow)).toBe(late.length - 1);
    expect(takeAll(schedule, third, 3_000).flat().length).toBeLessThanOrEqual(1);
  });

  it('does not ask again for a wrong chunk that another source is asked for already', () => {
    const schedule = scheduleOf(1);
    const [a, b] = [schedule.addSource('a'), schedule.addSource('b')];
    schedule.take(a, 0);
    expect(schedule.take(b, 5_000)).toEqual([0]);
    schedule.arrived(a, 0);
    expect(schedule.missed(a, 0, 'wrong', 0)).toBe('again');
    expect(schedule.someMissing).toBe(false);
    schedule.drop(b);
    expect(schedule.someMissing).toBe(true);
    expect(schedule.take(a, 5_000)).toEqual([0]);
  });

  it('does not give a chunk up while an origin merely lacks it, and asks the faulty one again after a while', () => {
    const schedule = scheduleOf(1);
    const [faulty, partial] = [schedule.addSource('faulty'), schedule.addSource('partial')];
    expect(schedule.take(partial, 0)).toEqual([0]);
    schedule.lacking(partial, 0, ASK_AGAIN_MS);
    for (let time = 0; time < 4; time++) {
      expect(schedule.take(faulty, 10)).toEqual([0]);
      expect(schedule.missed(faulty, 0, 'lost', 10)).toBe('again');
    }
    expect(schedule.take(faulty, 20)).toEqual([]);
    expect(schedule.take(partial, ASK_AGAIN_MS)).toEqual([0]);
    schedule.drop(partial);
    expect(schedule.take(faulty, ASK_AGAIN_MS + 10)).toEqual([0]);
    expect(schedule.missed(faulty, 0, 'lost', ASK_AGAIN_MS + 20)).toBe('give_up');
  });
});
