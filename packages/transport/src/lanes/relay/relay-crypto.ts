/** The cryptography that relay lanes need. Both implementations pass the same tests, and each opens what the other sealed. */
export interface RelayCrypto {
  /** Makes a fresh X25519 key pair (RFC 7748). */
  createKeyPair(): X25519KeyPair;
  /** Derives 32 bytes by HKDF-SHA256 (RFC 5869). */
  deriveKey(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array;
  /** @param key 32 bytes, for AES-256-GCM (NIST SP 800-38D) */
  createCipher(key: Uint8Array): FrameCipher;
}

export interface X25519KeyPair {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** @throws Error for an invalid public key, or one of small order, whose result anyone could guess */
  sharedSecret(otherPublicKey: Uint8Array): Uint8Array;
}

/** Seals and opens frames under one key. No nonce may be used twice. */
export interface FrameCipher {
  /** @returns the body and then the kind, encrypted, with the tag behind; in memory of its own */
  seal(nonce: Uint8Array, body: Uint8Array, kind: number): Uint8Array;
  /** @returns the body and then the kind, in memory of its own; undefined for a frame that was not sealed so */
  open(nonce: Uint8Array, frame: Uint8Array): Uint8Array | undefined;
}

export const TAG_BYTES = 16;
export const KIND_BYTES = 1;
/** How much longer a sealed frame is than its body. */
export const SEAL_BYTES = KIND_BYTES + TAG_BYTES;
