import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BYTE_UNITS, formatBytes, parseBytes } from '../src/index.ts';

describe('a number of bytes', () => {
  it.each([
    ['200GB', 200e9],
    ['1.5 TiB', 1.5 * 1024 ** 4],
    [' 64kib ', 65_536],
    ['10mb', 10e6],
    ['7B', 7],
    ['1PB', 1e15],
  ])('is read from %j', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', '10', 'MB', '-1MB', '1e3MB', '1.MB', '10 bits', '10M', '1iB', '10MB/s', '1MBx', 'NaN kB'])(
    'is not read from %j',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it('is read again as it is shown, but for what is cut off', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        const read = parseBytes(formatBytes(bytes)) ?? Number.NaN;
        expect(read).toBeLessThanOrEqual(bytes);
        expect(bytes - read).toBeLessThanOrEqual(1000 ** (BYTE_UNITS.length - 1));
        expect(read).toBeGreaterThanOrEqual(bytes * 0.9);
      }),
    );
  });
});
