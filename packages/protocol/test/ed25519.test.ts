import { describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { isSigned, isSignedInJavaScript, keyPair } from '../src/ed25519.ts';

const { Point } = ed25519;
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const text = new TextEncoder().encode('words');
/** A point of order 8. */
const TORSION = Point.fromBytes(hexToBytes('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));

function littleEndian(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, '0')).reverse();
}

describe('Ed25519 by OpenSSL and by JavaScript', () => {
  it('makes the same keys and signatures', () => {
    const sameKeys = fc.property(bytes(32), fc.uint8Array({ maxLength: 300 }), (seed, message) => {
      const { publicKey, sign } = keyPair(seed);
      expect(publicKey).toEqual(ed25519.getPublicKey(seed));
      expect(sign(message)).toEqual(ed25519.sign(message, seed));
    });
    fc.assert(sameKeys, { numRuns: runs(50) });
  });

  it('takes and refuses the same', () => {
    const place = fc.record({ part: fc.constantFrom('key', 'text', 'signature'), at: fc.nat(), bits: fc.nat(255) });
    const sameAnswer = fc.property(bytes(32), bytes(40), place, (seed, message, { part, at, bits }) => {
      const { publicKey, sign } = keyPair(seed);
      const signed: Record<string, Uint8Array> = { key: publicKey, text: message, signature: sign(message) };
      const changed = (signed[part] as Uint8Array).slice();
      changed[at % changed.length] = (changed[at % changed.length] as number) ^ bits;
      const { key, text, signature } = { ...signed, [part]: changed } as Record<
        'key' | 'text' | 'signature',
        Uint8Array
      >;
      const answer = (verify: typeof isSigned): boolean => {
        try {
          return verify(key, text, signature);
        } catch {
          return false;
        }
      };
      expect(answer(isSigned)).toBe(answer(isSignedInJavaScript));
      expect(answer(isSigned)).toBe(bits === 0);
    });
    fc.assert(sameAnswer, { numRuns: runs(100) });
  });

  it('refuses every key of small order, which would have signed anything', () => {
    for (let times = 0n; times < 8n; times++) {
      const key = times === 0n ? Point.ZERO.toBytes() : TORSION.multiplyUnsafe(times).toBytes();
      // The signature that OpenSSL takes for it, where the text's hash is a multiple of the order.
      const signature = concatBytes(Point.ZERO.toBytes(), new Uint8Array(32));
      for (let text = 0; text < 16; text++) expect(isSigned(key, Uint8Array.of(text), signature)).toBe(false);
    }
  });

  it('gives the same answer where OpenSSL is stricter', () => {
    const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(3));
    const nonce = 12_345n;
    const commitment = Point.BASE.multiply(nonce).add(TORSION).toBytes();
    const order = Point.Fn.ORDER;
    const hash = BigInt(
      `0x${Buffer.from(sha512(concatBytes(commitment, pointBytes, text)).reverse()).toString('hex')}`,
    );
    const signature = concatBytes(commitment, littleEndian((nonce + hash * scalar) % order));
    expect(isSignedInJavaScript(pointBytes, text, signature)).toBe(true);
    expect(isSigned(pointBytes, text, signature)).toBe(true);
  });

  it('checks with more keys than it keeps', () => {
    const pairs = Array.from({ length: 1_100 }, (_, i) =>
      keyPair(Uint8Array.from({ length: 32 }, () => i & 0xff).fill(i >> 8, 0, 4)),
    );
    for (const { publicKey, sign } of [...pairs, ...pairs.slice(0, 3)])
      expect(isSigned(publicKey, text, sign(text))).toBe(true);
  });
});
