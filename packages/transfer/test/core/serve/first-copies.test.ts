import { describe, expect, it } from '@jest/globals';
import {
  FIRST_COPY_MS,
  FIRSTS_FIRST_MS,
  LONGEST_SPREAD_MS,
  MAX_COPIED_CHUNKS,
  QUICK_COPY_MS,
  SPREAD_MS,
} from '../../../src/core/limits.ts';
import { FirstCopies } from '../../../src/core/serve/first-copies.ts';

const [anna, ben, cleo] = [{}, {}, {}];
const MIB = 1024 * 1024;

describe('the copies of chunks', () => {
  it('are left to the first receiver while it gets them, and for a moment after', () => {
    const copies = new FirstCopies();
    expect(copies.begin('x', anna, 0)).toBe(true);
    expect(copies.begin('x', ben, 1)).toBe(false);
    expect(copies.begin('x', anna, 1)).toBe(true);
    copies.sent('x', anna, 1_000, MIB);
    expect(copies.begin('x', ben, 999 + SPREAD_MS)).toBe(false);
    expect(copies.begin('x', ben, 1_000 + SPREAD_MS)).toBe(true);
  });

  it('go to all at once where they are sent in no time', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, QUICK_COPY_MS - 1, MIB);
    expect(copies.begin('x', ben, QUICK_COPY_MS - 1)).toBe(true);
    copies.sent('x', ben, QUICK_COPY_MS, MIB);
    copies.begin('y', anna, 1_000);
    expect(copies.begin('y', ben, 1_001)).toBe(true);
    expect(copies.begin('y', cleo, 1_001 + QUICK_COPY_MS)).toBe(false);
    expect(copies.begin('x', cleo, 1_001 + QUICK_COPY_MS)).toBe(true);
  });

  it('are kept back as before by a slow sender that sent a small one in no time', () => {
    const copies = new FirstCopies();
    copies.begin('small', anna, 0);
    copies.sent('small', anna, 10, 1_000);
    copies.begin('x', anna, 10);
    expect(copies.begin('x', ben, 11)).toBe(false);
  });

  it('count as the first no more when a second one was stuck', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, 1_000, MIB);
    copies.begin('y', anna, 1_000);
    copies.sent('y', anna, 2_000, MIB);
    copies.begin('x', ben, 5_000);
    copies.begin('x', cleo, 5_000 + FIRST_COPY_MS);
    expect(copies.begin('y', ben, 5_001 + FIRST_COPY_MS)).toBe(true);
  });

  it('do not go out a second time while others go out for the first time, for a minute at most', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, 1_000, MIB);
    copies.begin('y', ben, 4_000);
    expect(copies.begin('x', cleo, 5_000)).toBe(false);
    for (let nowMs = 5_000; nowMs < 1_000 + FIRSTS_FIRST_MS; nowMs += 1_000) copies.progressed('y', ben, nowMs);
    expect(copies.begin('x', cleo, 999 + FIRSTS_FIRST_MS)).toBe(false);
    expect(copies.begin('x', cleo, 1_000 + FIRSTS_FIRST_MS)).toBe(true);
  });

  it('go out a second time once nothing goes out for the first time, or only to one that takes nothing', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, 1_000, MIB);
    copies.begin('y', ben, 4_000);
    copies.sent('y', ben, 6_000, MIB);
    expect(copies.begin('x', cleo, 6_000)).toBe(true);
    copies.sent('x', cleo, 7_000, MIB);
    copies.begin('z', ben, 7_000);
    expect(copies.begin('x', anna, 6_999 + FIRST_COPY_MS)).toBe(false);
    expect(copies.begin('x', anna, 7_000 + FIRST_COPY_MS)).toBe(true);
  });

  it('are only looked at when a chunk is read, before it is sent', () => {
    const copies = new FirstCopies();
    expect(copies.isLeftToAnother('x', anna, 0)).toBe(false);
    expect(copies.isLeftToAnother('x', ben, 0)).toBe(false);
    copies.begin('x', anna, 0);
    expect([anna, ben].map((receiver) => copies.isLeftToAnother('x', receiver, 1))).toEqual([false, true]);
  });

  it('go to one receiver at a time later too', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, 1_000, MIB);
    expect(copies.begin('x', ben, 1_000 + SPREAD_MS)).toBe(true);
    expect(copies.begin('x', cleo, 1_000 + SPREAD_MS)).toBe(false);
  });

  it('have as long to spread as they took to send, up to a limit', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.sent('x', anna, 10_000, MIB);
    expect(copies.isLeftToAnother('x', ben, 19_999)).toBe(true);
    expect(copies.isLeftToAnother('x', ben, 20_000)).toBe(false);
    copies.begin('y', anna, 0);
    copies.sent('y', anna, 10 * LONGEST_SPREAD_MS, MIB);
    expect(copies.isLeftToAnother('y', ben, 11 * LONGEST_SPREAD_MS)).toBe(false);
  });

  it('go to the next one when the first does not get them, or takes nothing for too long', () => {
    const copies = new FirstCopies();
    copies.begin('x', anna, 0);
    copies.failed('x', ben);
    expect(copies.begin('x', ben, 1)).toBe(false);
    copies.failed('x', anna);
    expect(copies.begin('x', ben, 1)).toBe(true);
    copies.progressed('x', anna, 10_000);
    copies.progressed('x', ben, 1_000);
    expect(copies.begin('x', anna, 999 + FIRST_COPY_MS)).toBe(false);
    expect(copies.begin('x', anna, 1_000 + FIRST_COPY_MS)).toBe(true);
  });

  it('take no more memory than their limit', () => {
    const copies = new FirstCopies();
    for (let i = 0; i < MAX_COPIED_CHUNKS; i++) copies.begin(`${i}`, anna, 0);
    expect(copies.begin('one more', anna, 1)).toBe(true);
    expect(copies.begin('one more', ben, 1)).toBe(true);
    copies.begin('later', anna, FIRST_COPY_MS);
    expect(copies.begin('later', ben, FIRST_COPY_MS)).toBe(false);
  });
});
