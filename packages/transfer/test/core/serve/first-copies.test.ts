import { describe, expect, it } from '@jest/globals';
import { FIRST_COPY_MS, MAX_FIRST_COPIES, SPREAD_MS } from '../../../src/core/limits.ts';
import { FirstCopies } from '../../../src/core/serve/first-copies.ts';

const [anna, ben] = [{}, {}];

describe('the first copies of chunks', () => {
  it('are left to the first receiver while it gets them, and for a moment after', () => {
    const copies = new FirstCopies();
    expect(copies.leftToAnother('x', anna, 0)).toBe(false);
    expect(copies.leftToAnother('x', ben, 1)).toBe(true);
    expect(copies.leftToAnother('x', anna, 1)).toBe(false);
    copies.sent('x', anna, 100);
    expect(copies.leftToAnother('x', ben, 99 + SPREAD_MS)).toBe(true);
    expect(copies.leftToAnother('x', ben, 100 + SPREAD_MS)).toBe(false);
  });

  it('are held back once only', () => {
    const copies = new FirstCopies();
    copies.leftToAnother('x', anna, 0);
    copies.sent('x', anna, 0);
    copies.leftToAnother('x', anna, SPREAD_MS);
    expect(copies.leftToAnother('x', ben, SPREAD_MS)).toBe(false);
  });

  it('go to the next one when the first does not get them, or takes too long', () => {
    const copies = new FirstCopies();
    copies.leftToAnother('x', anna, 0);
    copies.failed('x', ben);
    expect(copies.leftToAnother('x', ben, 1)).toBe(true);
    copies.failed('x', anna);
    expect(copies.leftToAnother('x', ben, 1)).toBe(false);
    expect(copies.leftToAnother('x', anna, FIRST_COPY_MS)).toBe(true);
    expect(copies.leftToAnother('x', anna, 1 + FIRST_COPY_MS)).toBe(false);
  });

  it('take no more memory than their limit', () => {
    const copies = new FirstCopies();
    for (let i = 0; i < MAX_FIRST_COPIES; i++) copies.leftToAnother(`${i}`, anna, 0);
    expect(copies.leftToAnother('one more', anna, 1)).toBe(false);
    expect(copies.leftToAnother('one more', ben, 1)).toBe(false);
    copies.leftToAnother('later', anna, FIRST_COPY_MS);
    expect(copies.leftToAnother('later', ben, FIRST_COPY_MS)).toBe(true);
  });
});
