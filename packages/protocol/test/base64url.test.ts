import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBase64Url, toBase64Url } from '../src/index.ts';
import { failureOf, orRefused } from './support/outcome.ts';

describe('base64url', () => {
  it('is what Node writes, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = toBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(text)).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AA=', 'AA==', 'A A', 'A+', 'A/', 'AB', 'AAB', '\u00e4A', 'AA\n'])('refuses %j', (text) => {
    expect(failureOf(() => fromBase64Url(text)).code).toBe('bad_argument');
  });

  it('has one text for each run of bytes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), (text) => {
        const bytes = orRefused(() => fromBase64Url(text));
        if (bytes !== undefined) expect(toBase64Url(bytes)).toBe(text);
      }),
    );
  });
});
