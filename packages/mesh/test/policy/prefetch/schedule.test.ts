import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { DAYS, type Schedule, scheduleAt } from '../../../src/policy/prefetch/schedule.ts';

/** Local time; 2026-11-02 is a Monday. */
const at = (day: number, hour: number, minute = 0): Date => new Date(2026, 10, day, hour, minute);

describe('the schedule of a prefetch rule', () => {
  it.each([
    ['is always open without times and days', {}, at(4, 12), true, undefined],
    ['is open within its times', { between: '09:00-17:00' }, at(4, 12), true, at(4, 17)],
    ['is closed outside of them', { between: '09:00-17:00' }, at(4, 17), false, at(5, 9)],
    ['goes on after midnight', { between: '22:00-06:00' }, at(5, 5, 59), true, at(5, 6)],
    ['and ends then', { between: '22:00-06:00' }, at(5, 6), false, at(5, 22)],
    ['of Friday goes on into Saturday', { between: '22:00-06:00', days: ['fri'] }, at(7, 3), true, at(7, 6)],
    ['of Friday does not begin on Saturday', { between: '22:00-06:00', days: ['fri'] }, at(7, 23), false, at(13, 22)],
    ['of whole days is one until the last', { days: ['mon', 'tue', 'wed'] }, at(2, 8), true, at(5, 0)],
    ['of all whole days never ends', { between: '00:00-24:00' }, at(4, 12), true, undefined],
    ['of one day opens a week later', { days: ['wed'] }, at(5, 0), false, at(11, 0)],
  ] as const)('%s', (_, schedule, now, isOpen, until) => {
    expect(scheduleAt(schedule as Schedule, now)).toEqual({ isOpen, until });
  });

  it('changes exactly when it says so', () => {
    const minute = fc.integer({ min: 0, max: 24 * 60 - 1 });
    const text = (value: number): string =>
      `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`;
    const times = fc.tuple(minute, minute).filter(([from, to]) => from !== to);
    const days = fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(times, days, fc.integer({ min: 0, max: 14 * 24 * 60 }), ([from, to], named, later) => {
        const schedule = { between: `${text(from)}-${text(to)}`, days: named };
        const now = new Date(at(1, 0).getTime() + later * 60_000);
        const { isOpen, until } = scheduleAt(schedule, now);
        const change = until as Date;
        expect(change.getTime()).toBeGreaterThan(now.getTime());
        expect(scheduleAt(schedule, new Date(change.getTime() - 1)).isOpen).toBe(isOpen);
        expect(scheduleAt(schedule, change).isOpen).toBe(!isOpen);
      }),
      { numRuns: runs(500) },
    );
  });
});
