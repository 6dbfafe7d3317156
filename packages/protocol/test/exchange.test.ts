import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeExchange, type ExchangeMessage, encodeExchange, packValue } from '../src/index.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const lane = fc.integer({ min: 0, max: 0xffff_ffff });
const sdp = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 });
const messageArbitrary: fc.Arbitrary<ExchangeMessage> = fc.oneof(
  fc.record({ type: fc.constant('offer' as const), lane, engine: fc.string({ maxLength: 20 }), sdp }),
  fc.record({ type: fc.constant('answer' as const), lane, sdp }),
  fc.record({
    type: fc.constant('candidate' as const),
    lane,
    candidate: fc.string(),
    mid: fc.string({ maxLength: 10 }),
  }),
  fc.record({
    type: fc.constant('refuse' as const),
    error: fc.record({ code: fc.constant('busy' as const), message: fc.string({ unit: 'grapheme' }) }),
  }),
);

describe('what is inside the sealed exchange', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(messageArbitrary, (message) => {
        expect(decodeExchange(encodeExchange(message))).toEqual(message);
      }),
    );
  });

  it('drops unknown fields', () => {
    const bytes = packValue({ type: 'answer', lane: 1, sdp: 'v=0', iceServers: [] });
    expect(decodeExchange(bytes)).toEqual({ type: 'answer', lane: 1, sdp: 'v=0' });
  });

  it.each([
    ['an unknown type', { type: 'greeting' }],
    ['an empty description', { type: 'answer', lane: 1, sdp: '' }],
    ['a lane that is no number', { type: 'answer', lane: '1', sdp: 'v=0' }],
    ['a candidate of 4097 characters', { type: 'candidate', lane: 1, candidate: 'x'.repeat(4097), mid: '0' }],
    ['nothing', null],
  ])('refuses %s', (_, value) => {
    expect(failureOf(() => decodeExchange(packValue(value))).code).toBe('malformed_message');
  });

  it('refuses more than an envelope holds', () => {
    expect(failureOf(() => encodeExchange({ type: 'answer', lane: 1, sdp: 'x'.repeat(65_536) })).code).toBe(
      'bad_argument',
    );
    expect(failureOf(() => decodeExchange(packValue(['x'.repeat(65_536)]))).code).toBe('malformed_message');
  });

  it('refuses any other bytes with a ModelRtcError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(orRefused(() => decodeExchange(bytes))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});
