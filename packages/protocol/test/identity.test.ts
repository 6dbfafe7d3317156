import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { identityFromSeed, registrationText, roomOf, toBase64Url, verifySignature } from '../src/index.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(1));
const text = new TextEncoder().encode('words');

describe('an identity', () => {
  it('signs what its public key verifies, here and with OpenSSL', () => {
    const signature = identity.sign(text);
    expect(verifySignature(identity.publicKey, text, signature)).toBe(true);
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(identity.publicKey) },
      format: 'jwk',
    });
    expect(verify(undefined, text, key, signature)).toBe(true);
  });

  it('keeps its key when the seed that it came from is wiped', () => {
    const seed = new Uint8Array(32).fill(1);
    const kept = identityFromSeed(seed);
    seed.fill(0);
    expect(verifySignature(identity.publicKey, text, kept.sign(text))).toBe(true);
  });

  it('is not verified by another key, other words or a changed signature', () => {
    const signature = identity.sign(text);
    expect(verifySignature(identityFromSeed(new Uint8Array(32)).publicKey, text, signature)).toBe(false);
    expect(verifySignature(identity.publicKey, new Uint8Array(), signature)).toBe(false);
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = signature.slice();
        changed[at] = (changed[at] as number) ^ bits;
        expect(verifySignature(identity.publicKey, text, changed)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('is not verified by keys of small order, which would accept anything', () => {
    const smallOrder = Uint8Array.of(1, ...new Uint8Array(31));
    const signature = Uint8Array.of(1, ...new Uint8Array(63));
    expect(verifySignature(smallOrder, text, signature)).toBe(false);
  });

  it('is not verified by what is no key or signature at all', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(verifySignature(new Uint8Array(length), text, identity.sign(text))).toBe(false);
      expect(verifySignature(identity.publicKey, text, new Uint8Array(length))).toBe(false);
    }
  });
});

describe('a room', () => {
  it('has the name that belongs to the key', () => {
    expect(roomOf(identity.publicKey)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(roomOf(identity.publicKey)).not.toBe(roomOf(identityFromSeed(new Uint8Array(32)).publicKey));
  });
});

describe('registrationText', () => {
  it('differs by host and by nonce, and no host can pass for another with a part of the nonce', () => {
    const texts = [
      registrationText('a.example', text),
      registrationText('b.example', text),
      registrationText('a.example', new Uint8Array(5)),
      registrationText('a.examplew', text.subarray(1)),
    ];
    expect(new Set(texts.map((bytes) => toBase64Url(bytes))).size).toBe(4);
  });
});
