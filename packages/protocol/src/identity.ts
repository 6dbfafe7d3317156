import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { toBase64Url } from './base64url.ts';
import { isSigned, keyPair } from './ed25519.ts';

/** The key that an agent is known by (Ed25519, RFC 8032). The private half stays inside. */
export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** A signature of 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** Texts that keep what is signed or hashed for one purpose from being taken for another. */
const ROOM_DOMAIN = utf8ToBytes('model-rtc/1/room\0');
const REGISTRATION_DOMAIN = utf8ToBytes('model-rtc/1/register\0');

/** The identity of a private key: 32 random bytes that the caller keeps. */
export function identityFromSeed(seed: Uint8Array): Identity {
  return keyPair(seed);
}

/** Whether the key's owner signed the bytes; false for anything that is not a key or signature. */
export function verifySignature(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return isSigned(publicKey, bytes, signature);
  } catch {
    return false;
  }
}

/** The name of a worker's room at a signaling server: 43 characters of base64url. Only the key's owner can open it. */
export function roomOf(workerKey: Uint8Array): string {
  return toBase64Url(sha256(concatBytes(ROOM_DOMAIN, workerKey)));
}

/**
 * The text that a worker signs to open its room at a signaling server.
 * @param host the server's host as the worker dialled it, with the port when there is one (`URL.host`): a signature that
 *   one server was given is worth nothing at another.
 * @param nonce the server's challenge.
 */
export function registrationText(host: string, nonce: Uint8Array): Uint8Array {
  const name = utf8ToBytes(host);
  return concatBytes(REGISTRATION_DOMAIN, Uint8Array.of(name.length >> 8, name.length & 0xff), name, nonce);
}
