import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { parseRate } from '../../src/console/parse-rate.ts';

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
    '1TB',
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
