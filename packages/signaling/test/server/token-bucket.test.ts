import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from '../../src/server/token-bucket.ts';

describe('a token bucket', () => {
  it('gives its capacity at once, and then says how long to wait', () => {
    const bucket = new TokenBucket(10, 20, 0);
    expect(bucket.take(20, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(100);
    expect(bucket.take(4, 0)).toBe(500);
  });

  it('refills with time, up to its capacity', () => {
    const bucket = new TokenBucket(10, 20, 0);
    bucket.take(20, 0);
    expect(bucket.take(10, 1000)).toBe(0);
    expect(bucket.take(20, 1_000_000)).toBe(0);
    expect(bucket.take(1, 1_000_000)).toBe(100);
  });

  it('is not emptied or filled by a clock that goes back', () => {
    const bucket = new TokenBucket(10, 20, 1000);
    expect(bucket.take(20, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(100);
  });
});
