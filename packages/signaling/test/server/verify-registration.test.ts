import { describe, expect, it } from '@jest/globals';
import { fromBase64Url, identityFromSeed, registrationText, toBase64Url, verifySignature } from '@model-rtc/protocol';
import fc from 'fast-check';
import { verifyRegistration } from '../../src/server/verify-registration.ts';
import { registration } from '../support/raw-client.ts';

const nonce = new Uint8Array(32).fill(9);
const host = 'host:1';
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('the check of a registration', () => {
  it('takes what the key signed, and comes to the same answer as the protocol when a bit is flipped', () => {
    fc.assert(
      fc.property(seeds, fc.nat(64 * 8 - 1), (seed, bit) => {
        const signed = registration(identityFromSeed(seed), { host, nonce: toBase64Url(nonce) });
        expect(verifyRegistration(signed, nonce)).toBe(true);
        const damaged = fromBase64Url(signed.signature);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const answer = verifySignature(fromBase64Url(signed.publicKey), registrationText(host, nonce), damaged);
        expect(answer).toBe(false);
        expect(verifyRegistration({ ...signed, signature: toBase64Url(damaged) }, nonce)).toBe(answer);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses another nonce, another host, another key, and keys that are none', () => {
    const signed = registration(identityFromSeed(new Uint8Array(32)), { host, nonce: toBase64Url(nonce) });
    const other = toBase64Url(identityFromSeed(new Uint8Array(32).fill(1)).publicKey);
    expect(verifyRegistration(signed, new Uint8Array(32))).toBe(false);
    expect(verifyRegistration({ ...signed, host: 'host:2' }, nonce)).toBe(false);
    expect(verifyRegistration({ ...signed, publicKey: other }, nonce)).toBe(false);
    fc.assert(
      fc.property(seeds, (key) => {
        expect(verifyRegistration({ ...signed, publicKey: toBase64Url(key) }, nonce)).toBe(false);
      }),
    );
  });
});
