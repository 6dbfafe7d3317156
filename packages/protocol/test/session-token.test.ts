import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import {
  encodeSessionToken,
  isSignalingUrl,
  keyIdText,
  parseSessionToken,
  SCOPES,
  type SessionToken,
} from '../src/index.ts';
import { anyText } from './support/code-points.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const urlArbitrary = fc
  .tuple(fc.constantFrom('ws', 'wss'), fc.domain(), fc.integer({ min: 1, max: 65_535 }), fc.webPath())
  .map(([scheme, host, port, path]) => `${scheme}://${host}:${port}${path}`)
  .filter((url) => url.length <= 100);

const tokenArbitrary: fc.Arbitrary<SessionToken> = fc.record({
  urls: fc.array(urlArbitrary, { minLength: 1, maxLength: 5 }),
  workerKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  keyId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  secret: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  scopes: fc.subarray([...SCOPES], { minLength: 1 }),
  expiresAt: fc.option(
    fc.integer({ min: 1, max: 8_640_000_000_000 }).map((seconds) => new Date(seconds * 1000)),
    { nil: undefined },
  ),
});

const token: SessionToken = {
  urls: ['ws://192.0.2.7:8787'],
  workerKey: new Uint8Array(32).fill(1),
  keyId: new Uint8Array(8).fill(2),
  secret: new Uint8Array(16).fill(3),
  scopes: ['read'],
  expiresAt: undefined,
  features: [],
};

describe('a session token', () => {
  it('comes back from its text as it was', () => {
    fc.assert(
      fc.property(tokenArbitrary, (fields) => {
        const text = encodeSessionToken(fields);
        expect(text).toMatch(/^mrtc1_[A-Za-z0-9_-]+$/);
        expect(parseSessionToken(`\n ${text}\t`)).toEqual({ features: [], ...fields });
      }),
    );
  });

  it('keeps the second of its expiry', () => {
    const text = encodeSessionToken({ ...token, expiresAt: new Date('2030-01-02T03:04:05.678Z') });
    expect(parseSessionToken(text).expiresAt).toEqual(new Date('2030-01-02T03:04:05Z'));
  });

  it('that was mistyped in one place is told at once, wherever it was', () => {
    const text = encodeSessionToken(token);
    for (let at = 6; at < text.length; at++) {
      const typed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
      expect(failureOf(() => parseSessionToken(typed)).message).toMatch(/mistyped or cut off; copy it again/);
    }
  });

  it('that was cut off is told at once, wherever it was', () => {
    const text = encodeSessionToken(token);
    for (let length = 0; length < text.length; length++) {
      expect(failureOf(() => parseSessionToken(text.slice(0, length))).code).toBe('bad_argument');
    }
  });

  it('of a newer version asks for an upgrade', () => {
    const error = failureOf(() => parseSessionToken('mrtc2_whatever'));
    expect([error.code, error.message]).toEqual(['bad_argument', expect.stringMatching(/upgrade/)]);
  });

  it('is never repeated in an error: it is a secret', () => {
    const text = encodeSessionToken(token);
    for (const typed of [text.slice(0, -3), `${text}AA`, text.replace('mrtc1_', 'mrtc9_'), text.slice(6)]) {
      const error = failureOf(() => parseSessionToken(typed));
      expect(JSON.stringify(error.toData())).not.toContain(text.slice(10, 30));
    }
  });

  it.each([
    ['a short key', { workerKey: new Uint8Array(31) }],
    ['a short key id', { keyId: new Uint8Array(7) }],
    ['a short secret', { secret: new Uint8Array(15) }],
    ['no addresses', { urls: [] }],
    ['17 addresses', { urls: Array(17).fill('ws://a') }],
    ['an http address', { urls: ['http://a'] }],
    ['addresses that are too long together', { urls: Array(10).fill(`ws://${'a'.repeat(200)}`) }],
    ['no scope', { scopes: [] }],
    ['an unknown scope', { scopes: ['admin'] }],
    ['an expiry that is no time', { expiresAt: new Date(Number.NaN) }],
    ['an expiry before 1970', { expiresAt: new Date(-1) }],
  ])('cannot be made with %s', (_, change) => {
    expect(failureOf(() => encodeSessionToken({ ...token, ...(change as Partial<SessionToken>) })).code).toBe(
      'bad_argument',
    );
  });
});

describe('parseSessionToken', () => {
  it('refuses any text with a ModelRtcError or gives a token that can be written again', () => {
    const text = fc.oneof(
      anyText(),
      fc.stringMatching(/^mrtc1_[A-Za-z0-9_-]{0,200}$/),
      fc.uint8Array({ maxLength: 120 }).map((bytes) => `mrtc1_${Buffer.from(bytes).toString('base64url')}`),
    );
    fc.assert(
      fc.property(text, (typed) => {
        const parsed = orRefused(() => parseSessionToken(typed));
        if (parsed !== undefined) expect(parseSessionToken(encodeSessionToken(parsed))).toEqual(parsed);
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe('a signaling address', () => {
  it.each(['ws://a', 'wss://a.example/path?query=1', 'ws://[::1]:8787', 'ws://127.0.0.1:1'])('may be %j', (url) => {
    expect(isSignalingUrl(url)).toBe(true);
  });

  it.each([
    '',
    'ws:',
    'ws://',
    'http://a',
    'WS://a',
    ' ws://a',
    'ws://a b',
    'ws://u:p@a',
    'ws://a#b',
    'ws://a:99999',
    'ws://\u00e4',
  ])('cannot be %j', (url) => {
    expect(isSignalingUrl(url)).toBe(false);
  });
});

describe('a key id', () => {
  it('is written as 16 hex characters', () => {
    expect(keyIdText(Uint8Array.of(0, 1, 2, 3, 4, 0xfd, 0xfe, 0xff))).toBe('0001020304fdfeff');
  });
});
