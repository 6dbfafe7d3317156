import { ModelRtcError } from '@model-rtc/protocol';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { RelayCrypto, X25519KeyPair } from './relay-crypto.ts';

/** The side of a lane: each direction has its own key. */
export type RelayRole = 'asker' | 'answerer';

export interface RelayKeys {
  readonly sending: Uint8Array;
  readonly receiving: Uint8Array;
}

/** One side's X25519 keys (RFC 7748), made for one lane. */
export interface RelayKeyPair {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * The lane's AES-256-GCM keys. Only the two sides whose public keys came through the seal can derive them.
   *
   * @throws ModelRtcError `refused` for a public key that gives keys anyone could guess
   */
  derive(role: RelayRole, otherPublicKey: Uint8Array, meeting: Uint8Array): RelayKeys;
}

const LABEL = utf8ToBytes('model-rtc/1/relay/key\0');
const TO_ANSWERER = 1;
const TO_ASKER = 2;

export function createRelayKeyPair(crypto: RelayCrypto): RelayKeyPair {
  const pair = crypto.createKeyPair();
  const { publicKey } = pair;
  return {
    publicKey,
    derive(role, otherPublicKey, meeting) {
      const shared = sharedSecret(pair, otherPublicKey);
      const [asker, answerer] = role === 'asker' ? [publicKey, otherPublicKey] : [otherPublicKey, publicKey];
      const { toAsker, toAnswerer } = deriveRelayKeys(crypto, shared, { meeting, asker, answerer });
      return role === 'asker'
        ? { sending: toAnswerer, receiving: toAsker }
        : { sending: toAsker, receiving: toAnswerer };
    },
  };
}

/** What binds the keys to this lane, besides the secret. */
export interface RelayKeyContext {
  readonly meeting: Uint8Array;
  /** The two public keys. */
  readonly asker: Uint8Array;
  readonly answerer: Uint8Array;
}

/** Both directions' keys: HKDF (RFC 5869) of the shared secret. */
export function deriveRelayKeys(
  crypto: RelayCrypto,
  shared: Uint8Array,
  { meeting, asker, answerer }: RelayKeyContext,
): { readonly toAsker: Uint8Array; readonly toAnswerer: Uint8Array } {
  const keyTo = (direction: number) =>
    crypto.deriveKey(shared, meeting, concatBytes(LABEL, Uint8Array.of(direction), asker, answerer));
  return { toAnswerer: keyTo(TO_ANSWERER), toAsker: keyTo(TO_ASKER) };
}

function sharedSecret(pair: X25519KeyPair, otherPublicKey: Uint8Array): Uint8Array {
  try {
    return pair.sharedSecret(otherPublicKey);
  } catch (error) {
    throw weakKeyError(error);
  }
}

function weakKeyError(cause: unknown): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The other side sent a key for the relay that protects nothing; check that it runs a current model-rtc.',
    { cause },
  );
}
