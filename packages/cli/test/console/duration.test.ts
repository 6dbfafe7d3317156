import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { parseDuration } from '../../src/console/duration.ts';

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
