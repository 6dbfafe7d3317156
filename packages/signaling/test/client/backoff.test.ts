import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../src/client/backoff.ts';
import { BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS } from '../../src/limits.ts';

describe('the wait between attempts', () => {
  it('doubles up to the longest, and starts again after a reset', () => {
    const backoff = new Backoff(() => 1);
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([250, 500, 1000]);
    for (let i = 0; i < 2000; i++) backoff.nextMs();
    expect(backoff.nextMs()).toBe(BACKOFF_LONGEST_MS);
    backoff.reset();
    expect(backoff.nextMs()).toBe(BACKOFF_FIRST_MS);
  });

  it('varies by chance, from half of the wait to all of it', () => {
    expect(new Backoff(() => 0).nextMs()).toBe(BACKOFF_FIRST_MS / 2);
    expect(new Backoff(() => 0.5).nextMs()).toBe(BACKOFF_FIRST_MS * 0.75);
  });
});
