import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import { ModelRtcError } from '@model-rtc/protocol';

/** Which side of a lane one is: each direction has a key of its own. */
export type RelayRole = 'asker' | 'answerer';

export interface RelayKeys {
  readonly sending: Uint8Array;
  readonly receiving: Uint8Array;
}

/** One side's X25519 keys (RFC 7748), made for one lane and gone with it. */
export interface RelayKeyPair {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * The AES-256-GCM keys of the lane, of use only to the two whose public keys came through the seal.
   *
   * @throws ModelRtcError `refused` for a public key that would give keys which anyone could guess
   */
  derive(role: RelayRole, otherPublicKey: Uint8Array, meeting: Uint8Array): RelayKeys;
}

const KEY_BYTES = 32;
const LABEL = Buffer.from('model-rtc/1/relay/key\0');
const TO_ANSWERER = 1;
const TO_ASKER = 2;

export function createRelayKeyPair(): RelayKeyPair {
  const pair = generateKeyPairSync('x25519');
  const publicKey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    publicKey,
    derive(role, otherPublicKey, meeting) {
      const shared = sharedSecret(pair.privateKey, otherPublicKey);
      const [asker, answerer] = role === 'asker' ? [publicKey, otherPublicKey] : [otherPublicKey, publicKey];
      const { toAsker, toAnswerer } = deriveRelayKeys(shared, { meeting, asker, answerer });
      return role === 'asker'
        ? { sending: toAnswerer, receiving: toAsker }
        : { sending: toAsker, receiving: toAnswerer };
    },
  };
}

/** What makes the keys those of this lane and no other, besides the secret. */
export interface RelayKeyContext {
  readonly meeting: Uint8Array;
  /** The two public keys. */
  readonly asker: Uint8Array;
  readonly answerer: Uint8Array;
}

/** Both directions' keys: HKDF (RFC 5869) of the shared secret. */
export function deriveRelayKeys(
  shared: Uint8Array,
  { meeting, asker, answerer }: RelayKeyContext,
): { readonly toAsker: Uint8Array; readonly toAnswerer: Uint8Array } {
  const keyTo = (direction: number) => {
    const info = Buffer.concat([LABEL, Uint8Array.of(direction), asker, answerer]);
    return new Uint8Array(hkdfSync('sha256', shared, meeting, info, KEY_BYTES));
  };
  return { toAnswerer: keyTo(TO_ANSWERER), toAsker: keyTo(TO_ASKER) };
}

/** OpenSSL refuses a result of zeros, which points of small order give (RFC 7748, section 6.1). */
function sharedSecret(privateKey: KeyObject, otherPublicKey: Uint8Array): Buffer {
  try {
    const x = Buffer.from(otherPublicKey).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
    return diffieHellman({ privateKey, publicKey });
  } catch (error) {
    throw worthlessKey(error);
  }
}

function worthlessKey(cause: unknown): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The other side sent a key for the relay that protects nothing; check that it runs a current model-rtc.',
    { cause },
  );
}
