import { describe, expect, it } from '@jest/globals';
import { formatBytes } from '@model-rtc/protocol';
import { formatDuration, formatPercent, formatRate, formatScalar, formatTime } from '../../src/console/format.ts';

describe('the forms in which people read numbers', () => {
  it('counts bytes in decimal units', () => {
    expect([0, 999, 1000, 1_500_000, 6_900_000_000].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '1.5 MB',
      '6.9 GB',
    ]);
    expect([999_999, 1_000_000, 999_999_999_999, 1e15, 3e18].map(formatBytes)).toEqual([
      '999.9 kB',
      '1 MB',
      '999.9 GB',
      '1 PB',
      '3000 PB',
    ]);
    expect(formatRate(84_260_000.7)).toBe('84.2 MB/s');
  });

  it('never says 100% of what is not whole', () => {
    expect(formatPercent(999, 1000)).toBe('99%');
    expect(formatPercent(1000, 1000)).toBe('100%');
    expect(formatPercent(0, 0)).toBe('100%');
  });

  it('gives short times with tenths and long ones in two units', () => {
    expect([0, 1234, 65_000, 7_384_000].map(formatDuration)).toEqual(['0ms', '1.2s', '1m 5s', '2h 3m']);
  });

  it('keeps the digits of a small loss', () => {
    expect([0.00231, 42, 0.123456789, true, 'Adam', null].map(formatScalar)).toEqual([
      '0.00231',
      '42',
      '0.12346',
      'true',
      'Adam',
      'null',
    ]);
  });

  it('leaves an unknown time empty', () => {
    expect(formatTime(undefined)).toBe('');
    expect(formatTime('2026-11-21T09:30:00.000Z')).toMatch(/^2026-11-2\d \d\d:\d\d$/);
  });
});
