import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { isUtf8 } from '../src/utf8.ts';

function accepts(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('isUtf8', () => {
  it('agrees with the decoder of the platform on any bytes', () => {
    const lead = fc.constantFrom(0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff);
    const byte = fc.oneof(lead, fc.integer({ min: 0x7f, max: 0xc0 }), fc.constantFrom(0x41, 0x8f, 0x90, 0x9f, 0xa0));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 5 }), (values) => {
        const bytes = Uint8Array.from(values);
        expect(isUtf8(bytes)).toBe(accepts(bytes));
      }),
      { numRuns: runs(5000) },
    );
  });

  it('takes all text, and looks at no byte outside of its run', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const bytes = new TextEncoder().encode(text);
        const around = Uint8Array.of(0xff, ...bytes, 0x80);
        expect([isUtf8(bytes), isUtf8(around, 1, 1 + bytes.length), isUtf8(around)]).toEqual([true, true, false]);
      }),
    );
  });
});
