import { createPublicKey, verify } from 'node:crypto';
import { registrationText } from '@model-rtc/protocol';
import type { ClientMessage } from '../messages.ts';

type Registration = Extract<ClientMessage, { type: 'register' }>;

/**
 * Whether the sender of a registration holds its key. It is OpenSSL's Ed25519 alone and not protocol.verifySignature, which judges
 * new keys and wrong signatures in JavaScript and takes milliseconds: strangers may ask for this as often as they connect, and meanwhile no one else is
 * served. It takes some malformed keys that the strict check does not; those open rooms that no worker has.
 */
export function verifyRegistration({ publicKey, host, signature }: Registration, nonce: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, registrationText(host, nonce), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}
