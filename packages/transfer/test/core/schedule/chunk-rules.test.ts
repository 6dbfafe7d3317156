import { describe, expect, it } from '@jest/globals';
import { MAX_PASSED_OVER } from '../../../src/core/limits.ts';
import { Schedule } from '../../../src/core/schedule/schedule.ts';

const KIB16 = 16 * 1024;

/** Chunks before `from` may be asked of "all" alone. */
function scheduleOf(count: number, from: number): Schedule {
  const rules = { mayAsk: (id: number, { origin }: { readonly origin: string }) => id >= from || origin === 'all' };
  return new Schedule(new Uint32Array(count).fill(KIB16), new Uint8Array(count), rules);
}

describe('a schedule with rules', () => {
  it('gets to what a source may be asked for, however much lies before it, and leaves that for another', () => {
    const from = 3 * MAX_PASSED_OVER;
    const schedule = scheduleOf(from + 10, from);
    const some = schedule.addSource('some');
    let asked: number[] = [];
    for (let calls = 0; asked.length === 0 && calls < 10; calls++) asked = schedule.take(some, 0);
    expect(asked[0]).toBe(from);
    expect(schedule.take(schedule.addSource('all'), 0)[0]).toBe(0);
  });

  it('asks the only one that may give a chunk again when it came damaged, though others are there', () => {
    const schedule = scheduleOf(1, 1);
    const [all, some] = [schedule.addSource('all'), schedule.addSource('some')];
    for (let times = 0; times < 3; times++) {
      expect([schedule.take(some, times), schedule.take(all, times)]).toEqual([[], [0]]);
      expect(schedule.missed(all, 0, 'lost', times)).toBe('again');
    }
  });

  it('asks nobody at the end for a copy of what they may not give', () => {
    const schedule = scheduleOf(2, 1);
    const [all, some] = [schedule.addSource('all'), schedule.addSource('some')];
    expect(schedule.take(some, 0)).toEqual([1]);
    schedule.arrived(some, 1);
    schedule.verified(some, 1, 10);
    expect(schedule.take(all, 10)).toEqual([0]);
    expect(schedule.take(some, 1_000_000)).toEqual([]);
  });

  it('drops an origin that gave three wrong files when there is another, and never the only one', () => {
    const schedule = scheduleOf(1, 0);
    schedule.addSource('liar');
    expect([1, 2, 3, 4].map(() => schedule.blame('liar'))).toEqual(['again', 'again', 'again', 'again']);
    schedule.addSource('all');
    expect(schedule.blame('liar')).toBe('drop_origin');
  });
});
