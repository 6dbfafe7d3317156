import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { MESSAGE_LIMITS, type PackLimits, packValue, unpackValue } from '../src/index.ts';
import { scanMsgpack } from '../src/msgpack-scan.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const small: PackLimits = {
  maxBytes: 1000,
  maxNesting: 3,
  maxItems: 10,
  maxMapEntries: 5,
  maxValues: 40,
  maxStringBytes: 20,
};
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const problemOf = (bytes: Uint8Array, limits?: PackLimits) =>
  String(failureOf(() => scanMsgpack(bytes, limits)).details?.problem);

describe('scanMsgpack', () => {
  it.each([
    ['bytes', 'x'.repeat(20), new Uint8Array(1001), /1001 bytes/],
    ['nesting', [[[1]]], packValue([[[[1]]]]), /nested too deeply/],
    ['items', Array(10).fill(0), packValue(Array(11).fill(0)), /11 items/],
    ['map entries', { a: 1, b: 1, c: 1, d: 1, e: 1 }, packValue({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }), /6 items/],
    ['values', Array(3).fill(Array(10).fill(0)), packValue(Array(4).fill(Array(10).fill(0))), /more than 40 values/],
    ['string bytes', '\u00e9'.repeat(10), packValue(`${'\u00e9'.repeat(10)}x`), /21 bytes/],
    ['binary bytes', new Uint8Array(20), packValue(new Uint8Array(21)), /21 bytes/],
  ])('takes as many %s as are allowed and no more', (_, most, tooMany, problem) => {
    expect(() => scanMsgpack(packValue(most), small)).not.toThrow();
    expect(problemOf(tooMany, small)).toMatch(problem);
  });

  it('refuses a length that the bytes do not hold, whatever it claims', () => {
    for (const head of [
      'ddffffffff',
      'dfffffffff',
      'dbffffffff',
      'c6ffffffff',
      'dd00000001',
      'a1',
      'c401',
      'cb00',
      'd9',
    ]) {
      expect(failureOf(() => unpackValue(bytesOf(head))).code).toBe('malformed_message');
    }
  });

  it('walks a claim of many nested lists without building them', () => {
    const claims = bytesOf('dd0005cc60'.repeat(16));
    expect(problemOf(claims)).toMatch(/cut off/);
    expect(problemOf(new Uint8Array(1_000_000).fill(0x91))).toMatch(/nested too deeply/);
  });

  it('refuses every type byte that stands for an extension, and the one that is never used', () => {
    for (const token of [0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]) {
      expect(problemOf(Uint8Array.of(token, ...new Uint8Array(40)))).toMatch(/type 0x/);
    }
  });

  it('finds a key that is there twice, among few keys and among many', () => {
    for (const count of [2, 24, 25, 26, 100]) {
      const keys = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${String(i).padStart(3, '0')}`, i]));
      const bytes = packValue(keys);
      expect(() => scanMsgpack(bytes)).not.toThrow();
      const text = Buffer.from(bytes).toString('latin1');
      const twice = text.replace(`k${String(count - 1).padStart(3, '0')}`, 'k000');
      expect(problemOf(new Uint8Array(Buffer.from(twice, 'latin1')))).toMatch(/twice/);
    }
  });

  it('tells keys apart that differ in a byte order mark alone', () => {
    const keys = { a: 1, '\ufeffa': 2, ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, i])) };
    expect(unpackValue(packValue(keys))).toEqual(keys);
  });

  it('takes integers of 64 bits up to 2^53 - 1 and no further', () => {
    expect(unpackValue(bytesOf('cf 001fffffffffffff'))).toBe(Number.MAX_SAFE_INTEGER);
    expect(unpackValue(bytesOf('d3 ffe0000000000001'))).toBe(Number.MIN_SAFE_INTEGER);
    for (const bytes of [
      'cf 0020000000000000',
      'cf 0020000000000001',
      'cf ffffffffffffffff',
      'd3 ffe0000000000000',
      'd3 8000000000000000',
    ]) {
      expect(problemOf(bytesOf(bytes))).toMatch(/integer/);
    }
  });

  it('lets nothing through that the decoder cannot read', () => {
    const token = fc.oneof(
      fc.constantFrom(0x80, 0x81, 0x90, 0x92, 0xa0, 0xa1, 0xa2, 0xc0, 0xc4, 0xcb, 0xcc, 0xd0, 0xd3, 0xd9, 0xdc, 0xde),
      fc.constantFrom(0x00, 0x01, 0x02, 0x40, 0x61),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 24 }), (values) => {
        const bytes = Uint8Array.from(values);
        const isSound = orRefused(() => scanMsgpack(bytes) ?? true) ?? false;
        fc.pre(isSound);
        const value = unpackValue(bytes);
        expect(unpackValue(packValue(value))).toEqual(value);
      }),
      { numRuns: runs(5000) },
    );
  });

  it('has the limits of the protocol for messages', () => {
    expect(MESSAGE_LIMITS.maxBytes).toBe(32 * 1024 * 1024);
    expect(problemOf(new Uint8Array(MESSAGE_LIMITS.maxBytes + 1))).toMatch(/33554433 bytes/);
  });
});
