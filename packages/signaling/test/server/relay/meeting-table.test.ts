import { describe, expect, it } from '@jest/globals';
import { MeetingTable } from '../../../src/server/relay/meeting-table.ts';

const HOME = '10.0.0.1';
const bounds = { maxMeetings: 3, maxWaitingPerIp: 2 };

describe('a meeting table', () => {
  it('lets the first wait and joins the second with it', () => {
    const table = new MeetingTable(bounds);
    expect(table.come(1, 'here', HOME)).toBeUndefined();
    expect(table.isWaiting(1)).toBe(true);
    expect(table.come(2, 'here', HOME)).toBe(1);
    expect([table.isWaiting(1), table.isWaiting(2), table.size]).toEqual([false, false, 1]);
  });

  it('refuses a third, until the meeting is over', () => {
    const table = new MeetingTable(bounds);
    table.come(1, 'here', HOME);
    table.come(2, 'here', HOME);
    expect(table.refusalFor('here', HOME)).toBe('taken');
    table.leave(1);
    expect(table.refusalFor('here', HOME)).toBeUndefined();
  });

  it('tells who has to go with one that leaves, once', () => {
    const table = new MeetingTable(bounds);
    table.come(1, 'here', HOME);
    table.come(2, 'here', HOME);
    expect(table.leave(2)).toBe(1);
    expect(table.leave(1)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  it('keeps a later meeting of the same name when someone of the earlier one is told of late', () => {
    const table = new MeetingTable(bounds);
    table.come(1, 'here', HOME);
    table.come(2, 'here', HOME);
    table.leave(2);
    table.come(3, 'here', HOME);
    expect(table.leave(1)).toBeUndefined();
    expect(table.come(4, 'here', HOME)).toBe(3);
  });

  it('bounds how many wait from one network, however many have met, and refuses none that is waited for', () => {
    const table = new MeetingTable({ ...bounds, maxMeetings: 10 });
    table.come(1, 'a', '2001:db8::1');
    table.come(2, 'b', '2001:db8::2');
    expect(table.refusalFor('c', '2001:db8::3')).toBe('too_many');
    expect(table.refusalFor('c', HOME)).toBeUndefined();
    expect(table.refusalFor('a', '2001:db8::3')).toBeUndefined();
    table.come(3, 'a', '2001:db8::3');
    expect(table.refusalFor('c', '2001:db8::3')).toBeUndefined();
    table.leave(2);
    table.come(4, 'c', '2001:db8::3');
    expect(table.refusalFor('d', '2001:db8::3')).toBeUndefined();
  });

  it('bounds the meetings altogether', () => {
    const table = new MeetingTable(bounds);
    for (const [id, name] of ['a', 'b', 'c'].entries()) table.come(id, name, `10.0.1.${id}`);
    expect(table.refusalFor('d', HOME)).toBe('full');
    expect(table.refusalFor('a', HOME)).toBeUndefined();
    table.leave(0);
    expect(table.refusalFor('d', HOME)).toBeUndefined();
  });
});
