import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { decodeExchange, type ExchangeMessage, encodeExchange, packValue } from '../src/index.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const lane = fc.integer({ min: 0, max: 0xffff_ffff });
const sdp = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 });
const messageArbitrary: fc.Arbitrary<ExchangeMessage> = fc.oneof(
  fc.record(
    {
      type: fc.constant('offer' as const),
      lane,
      engine: fc.string({ maxLength: 20 }),
      sdp,
      mtu: fc.integer({ min: 1280, max: 65_535 }),
    },
    { requiredKeys: ['type', 'lane', 'engine', 'sdp'] },
  ),
  fc.record({ type: fc.constant('answer' as const), lane, sdp }),
  fc.record({
    type: fc.constant('candidate' as const),
    lane,
    candidate: fc.string(),
    mid: fc.string({ maxLength: 10 }),
  }),
  fc.record(
    {
      type: fc.constantFrom('request' as const, 'reply' as const),
      lane,
      bytes: fc.uint8Array(),
      more: fc.constant(true as const),
    },
    { requiredKeys: ['type', 'lane', 'bytes'] },
  ),
  fc.record({
    type: fc.constant('refuse' as const),
    error: fc.record({ code: fc.constant('busy' as const), message: fc.string({ unit: 'grapheme' }) }),
  }),
);

const DIRECT_OFFER = {
  type: 'direct_offer',
  lane: 1,
  addresses: [{ host: '192.0.2.1', port: 7000 }],
  certificate: new Uint8Array(32),
  token: new Uint8Array(32),
};

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
    ['no type', { lane: 1 }],
    ['a token of another length', { ...DIRECT_OFFER, token: new Uint8Array(31) }],
    ['port 0', { ...DIRECT_OFFER, addresses: [{ host: '192.0.2.1', port: 0 }] }],
    ['packets smaller than every path carries', { type: 'offer', lane: 1, engine: 'x', sdp: 'v=0', mtu: 1279 }],
    ['packets larger than IP has', { type: 'offer', lane: 1, engine: 'x', sdp: 'v=0', mtu: 65_536 }],
    ['an empty description', { type: 'answer', lane: 1, sdp: '' }],
    ['a lane that is no number', { type: 'answer', lane: '1', sdp: 'v=0' }],
    ['a candidate of 4097 characters', { type: 'candidate', lane: 1, candidate: 'x'.repeat(4097), mid: '0' }],
    ['a piece of a request that is too long', { type: 'request', lane: 1, bytes: new Uint8Array(61_441) }],
    ['a piece that is no binary', { type: 'reply', lane: 1, bytes: 'x' }],
    ['nothing', null],
  ])('refuses %s', (_, value) => {
    expect(failureOf(() => decodeExchange(packValue(value))).code).toBe('malformed_message');
  });

  it('passes over a message of a kind that a later version may have', () => {
    expect(decodeExchange(packValue({ type: 'greeting', lane: 1 }))).toBeUndefined();
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
      { numRuns: runs(1000) },
    );
  });
});
