import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
} from 'node:crypto';
import { type FrameCipher, KIND_BYTES, type RelayCrypto, SEAL_BYTES, TAG_BYTES } from './relay-crypto.ts';

const CIPHER = 'aes-256-gcm';

/** Node's own cryptography, which is OpenSSL. */
export const nodeCrypto: RelayCrypto = {
  createKeyPair() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    return {
      publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
      // OpenSSL refuses a result of zeros, which points of small order give (RFC 7748, section 6.1).
      sharedSecret(otherPublicKey) {
        const x = Buffer.from(otherPublicKey).toString('base64url');
        const other = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
        return diffieHellman({ privateKey, publicKey: other });
      },
    };
  },
  deriveKey: (secret, salt, info) => new Uint8Array(hkdfSync('sha256', secret, salt, info, 32)),
  createCipher,
};

function createCipher(keyBytes: Uint8Array): FrameCipher {
  const key = createSecretKey(keyBytes);
  return {
    seal(nonce, body, kind) {
      const cipher = createCipheriv(CIPHER, key, nonce);
      const frame = Buffer.allocUnsafe(body.length + SEAL_BYTES);
      frame.set(cipher.update(body), 0);
      frame.set(cipher.update(Uint8Array.of(kind)), body.length);
      cipher.final();
      frame.set(cipher.getAuthTag(), body.length + KIND_BYTES);
      return frame;
    },
    open(nonce, frame) {
      const sealedBytes = frame.length - TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(frame.subarray(sealedBytes));
      const opened = decipher.update(frame.subarray(0, sealedBytes));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return opened;
    },
  };
}
