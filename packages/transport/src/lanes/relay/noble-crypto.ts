import { gcm } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { RelayCrypto } from './relay-crypto.ts';

/** Plain JavaScript for pages: WebCrypto is missing where a page did not come over https. docs/decisions/noble-crypto-in-protocol.md */
export const nobleCrypto: RelayCrypto = {
  createKeyPair() {
    const { publicKey, secretKey } = x25519.keygen();
    // It refuses a result of zeros, which points of small order give (RFC 7748, section 6.1).
    return { publicKey, sharedSecret: (otherPublicKey) => x25519.getSharedSecret(secretKey, otherPublicKey) };
  },
  deriveKey: (secret, salt, info) => hkdf(sha256, secret, salt, info, 32),
  createCipher: (key) => ({
    seal(nonce, body, kind) {
      const plain = new Uint8Array(body.length + 1);
      plain.set(body);
      plain[body.length] = kind;
      return gcm(key, nonce).encrypt(plain);
    },
    open(nonce, frame) {
      try {
        return gcm(key, nonce).decrypt(frame);
      } catch {
        return undefined;
      }
    },
  }),
};
