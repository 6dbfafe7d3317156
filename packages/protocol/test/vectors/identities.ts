import { identityFromSeed, registrationText, roomOf } from '../../src/index.ts';
import { counting, toHex } from './bytes.ts';

export function identityVectors() {
  return {
    description:
      'Ed25519 identities: a seed, its public key, the room of that key, and the signature that opens the room at a host.',
    accepted: [
      identity(counting(32), '127.0.0.1:8787', counting(32, 0x20)),
      identity(counting(32, 0xe0), 'signal.example.org', counting(16, 1)),
    ],
  };
}

function identity(seed: Uint8Array, host: string, nonce: Uint8Array) {
  const { publicKey, sign } = identityFromSeed(seed);
  const text = registrationText(host, nonce);
  return {
    seed: toHex(seed),
    publicKey: toHex(publicKey),
    room: roomOf(publicKey),
    registration: { host, nonce: toHex(nonce), text: toHex(text), signature: toHex(sign(text)) },
  };
}
