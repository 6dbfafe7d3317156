import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { parseDuration, parseRate } from '../../src/console/quantities.ts';

describe('a rate', () => {
  it.each([
    ['20MB', 20_000_000],
    ['20mb/s', 20_000_000],
    ['1.5MiB', 1_572_864],
    ['50Mbit', 6_250_000],
    ['50 Mbit/s', 6_250_000],
    ['512kB', 512_000],
    ['512KiB', 524_288],
    ['1Gbit', 125_000_000],
    ['16000B', 16_000],
    [' 2GiB ', 2_147_483_648],
    ['0.5GB', 500_000_000],
  ])('is read from %s', (text, expected) => {
    expect(parseRate(text, '--limit')).toBe(expected);
  });

  it.each([
    '',
    '20',
    'MB',
    '-1MB',
    '0MB',
    '15kB',
    '1e9MB',
    '20 M',
    '20Mbps',
    '2TB',
    '9999GB',
    '20MB/m',
    '1.MB',
    '∞MB',
    '20MB; rm',
  ])('is not %s', (text) => {
    let thrown: unknown;
    try {
      parseRate(text, 'limit.up');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ModelRtcError);
    expect(thrown).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('limit.up') });
  });
});

const DAY_MS = 24 * 60 * 60 * 1000;

describe('a length of time', () => {
  it.each([
    ['30m', DAY_MS / 48],
    ['12 h', DAY_MS / 2],
    ['30d', 30 * DAY_MS],
    ['1.5d', 1.5 * DAY_MS],
    ['2 weeks', 14 * DAY_MS],
  ])('is read from %s', (text, expected) => {
    expect(parseDuration(text, '--older-than')).toBe(expected);
  });

  it.each(['', '30', 'd', '-1d', '0d', '1e3d', '101y', '3 fortnights', 'never', '1d; rm'])('is not %s', (text) => {
    let thrown: unknown;
    try {
      parseDuration(text, '--older-than');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ModelRtcError);
    expect(thrown).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('--older-than') });
  });

  it('may be nothing where that makes sense', () => {
    expect(parseDuration('0s', '--older-than', { zero: true })).toBe(0);
  });
});
