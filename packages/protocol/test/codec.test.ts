import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { decodeMessage, encodeMessage, type Message, packValue, unpackValue } from '../src/index.ts';
import { messageArbitrary } from './support/message-arbitrary.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const plainKey = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((key) => key !== '__proto__');
const { tree: valueArbitrary } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(null, true, false, 0, -1, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1),
      fc.integer(),
      fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
    ),
    fc.array(tie('tree'), { maxLength: 20 }),
    fc.dictionary(plainKey, tie('tree'), { maxKeys: 20, noNullPrototype: true }),
  ),
}));

describe('packValue and unpackValue', () => {
  it('bring any plain value back as it was', () => {
    fc.assert(
      fc.property(valueArbitrary, (value) => {
        expect(unpackValue(packValue(value))).toEqual(value);
      }),
    );
  });

  it('keep integers exact up to 2^53 - 1 on both sides of zero', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (integer) => {
        expect(unpackValue(packValue(integer))).toBe(integer);
        expect(unpackValue(packValue(BigInt(integer)))).toBe(integer);
      }),
    );
  });

  it('leave out keys without a value', () => {
    expect(unpackValue(packValue({ a: undefined, b: { c: undefined } }))).toEqual({ b: {} });
  });

  it('send an unpaired surrogate as U+FFFD, in values and keys', () => {
    const value = { 'k\ud800': ['short \udc00', `long ${'x'.repeat(100)}\ud800`], bytes: Uint8Array.of(1) };
    expect(unpackValue(packValue(value))).toEqual({
      'k\ufffd': ['short \ufffd', `long ${'x'.repeat(100)}\ufffd`],
      bytes: Uint8Array.of(1),
    });
  });

  it('take keys that objects have of themselves as ordinary keys', () => {
    const hostile = { toJSON: 1, constructor: 'x', hasOwnProperty: 2, toString: null };
    expect(unpackValue(packValue(hostile))).toEqual(hostile);
    const bare = { a: Object.assign(Object.create(null), { toJSON: 'x' }) };
    expect(unpackValue(packValue(bare))).toEqual({ a: { toJSON: 'x' } });
  });

  it('give bytes that are not touched by what is packed afterwards, and binaries that are copies', () => {
    const first = packValue({ text: 'first' });
    packValue({ text: 'other' });
    expect(unpackValue(first)).toEqual({ text: 'first' });
    const packed = packValue(Uint8Array.of(1, 2, 3));
    const binary = unpackValue(packed);
    packed.fill(0);
    expect(binary).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('read from a Buffer and from the middle of other memory', () => {
    const packed = packValue({ a: [1, 'two', Uint8Array.of(3)] });
    const around = new Uint8Array(packed.length + 20).fill(0xff);
    around.set(packed, 7);
    const expected = { a: [1, 'two', Uint8Array.of(3)] };
    expect(unpackValue(around.subarray(7, 7 + packed.length))).toEqual(expected);
    expect(unpackValue(Buffer.from(packed))).toEqual(expected);
    expect(Object.keys(packed)).toHaveLength(packed.length);
  });

  it.each([
    ['a date', new Date(0)],
    ['a symbol', [Symbol('x')]],
    ['a big integer', 2n ** 60n],
    ['more nesting than is allowed', JSON.parse(`${'['.repeat(17)}${']'.repeat(17)}`)],
    ['a string of more than 256 KiB', 'x'.repeat(262_145)],
  ])('refuse to send %s, since no receiver takes it', (_, value) => {
    expect(failureOf(() => packValue(value)).code).toBe('bad_argument');
  });
});

describe('encodeMessage and decodeMessage', () => {
  it('bring any message back as it was', () => {
    fc.assert(
      fc.property(messageArbitrary, (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual(message);
      }),
    );
  });

  it('drop unknown fields and take unknown capabilities, so that minor versions can mix', () => {
    const hello: Message = {
      type: 'hello',
      protocol: { major: 1, minor: 7 },
      agent: { role: 'client', name: 'x', version: '9.0.0' },
      capabilities: ['time-travel'],
      limits: { maxMessageBytes: 65_536, maxOpenRequests: 1 },
    };
    const newer = { ...hello, mood: 'good', limits: { ...hello.limits, maxLanes: 3 } };
    expect(decodeMessage(packValue(newer))).toEqual(hello);
  });

  it('refuse any bytes with a ModelRtcError or give a message, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const message = orRefused(() => decodeMessage(bytes));
        if (message !== undefined) expect(message).toHaveProperty('type');
      }),
      { numRuns: runs(3000) },
    );
  });

  it('refuse mutated messages the same way', () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(messageArbitrary, fc.array(mutation, { minLength: 1, maxLength: 4 }), (message, mutations) => {
        let bytes = encodeMessage(message);
        for (const { at, byte, cut } of mutations) {
          bytes[at % bytes.length] = byte;
          bytes = bytes.slice(0, Math.max(1, bytes.length - cut));
        }
        const decoded = orRefused(() => decodeMessage(bytes));
        if (decoded !== undefined) expect(decodeMessage(encodeMessage(decoded))).toEqual(decoded);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('say which field is wrong, and give the cause', () => {
    const error = failureOf(() => decodeMessage(packValue({ type: 'ping', nonce: -1 })));
    expect([error.code, error.cause]).toEqual(['malformed_message', expect.anything()]);
    expect(error.message).toContain('nonce');
  });
});
