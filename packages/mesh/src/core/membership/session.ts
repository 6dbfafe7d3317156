import type { Scope, SessionToken } from '@model-rtc/protocol';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Texts that keep what is derived for one purpose from being taken for another. */
const SESSION_DOMAIN = utf8ToBytes('model-rtc/1/mesh/session\0');
const KEY_ID_DOMAIN = utf8ToBytes('model-rtc/1/mesh/key-id\0');
const SECRET_BYTES = 16;
const KEY_ID_BYTES = 8;

/** A node of a mesh and the worker that it visits. Each key is an Ed25519 public key of 32 bytes. */
export interface MeshPair {
  readonly meshId: Uint8Array;
  readonly visitorKey: Uint8Array;
  readonly workerKey: Uint8Array;
}

/** Computes what a node shares with another that holds the key: X25519 of both keys' Montgomery forms, 32 bytes. */
export type SharedSecretOf = (otherKey: Uint8Array) => Uint8Array;

/**
 * @param seed the identity's private key: 32 bytes, kept inside
 * @returns a function that throws for bytes that are no key, or one of small order
 */
export function sharedSecretsOf(seed: Uint8Array): SharedSecretOf {
  const secret = ed25519.utils.toMontgomerySecret(Uint8Array.from(seed));
  return (otherKey) => x25519.getSharedSecret(secret, ed25519.utils.toMontgomery(otherKey));
}

/** Names the session at the worker, without telling who visits: 8 bytes. Everyone in the mesh can compute it. */
export function meshKeyId({ meshId, visitorKey, workerKey }: MeshPair): Uint8Array {
  return sha256(concatBytes(KEY_ID_DOMAIN, meshId, visitorKey, workerKey)).slice(0, KEY_ID_BYTES);
}

/** The secret of the session of a visitor at a worker: 16 bytes that only these two can compute. */
export function meshSecret({ meshId, visitorKey, workerKey }: MeshPair, shared: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, meshId, concatBytes(SESSION_DOMAIN, visitorKey, workerKey), SECRET_BYTES);
}

export interface MeshSessionOptions {
  readonly pair: MeshPair;
  /** What the two share: `sharedSecretsOf(seed)(otherKey)`, the same on both sides. */
  readonly shared: Uint8Array;
  /** Where the worker waits: 1 to 16 signaling servers. */
  readonly urls: readonly string[];
  /** Those of the visitor's membership. */
  readonly scopes: readonly Scope[];
}

/** The session of a member at another member's worker. It never expires: the worker asks the membership at every request. */
export function meshSession({ pair, shared, urls, scopes }: MeshSessionOptions): SessionToken {
  return {
    urls,
    workerKey: pair.workerKey,
    keyId: meshKeyId(pair),
    secret: meshSecret(pair, shared),
    scopes,
    expiresAt: undefined,
    features: ['ask'],
  };
}

/** Which member a visitor at this node's worker is, by the key id that it shows. */
export class MeshVisitors {
  readonly #meshId: Uint8Array;
  readonly #workerKey: Uint8Array;
  readonly #byKeyId = new Map<string, Uint8Array>();

  constructor(meshId: Uint8Array, workerKey: Uint8Array) {
    this.#meshId = meshId;
    this.#workerKey = workerKey;
  }

  /** @param memberKeys every member's key; those of before are forgotten */
  setMembers(memberKeys: Iterable<Uint8Array>): void {
    this.#byKeyId.clear();
    for (const visitorKey of memberKeys) {
      const keyId = meshKeyId({ meshId: this.#meshId, visitorKey, workerKey: this.#workerKey });
      this.#byKeyId.set(bytesToHex(keyId), visitorKey);
    }
  }

  /** @returns the member's key; undefined for a key id of no member */
  visitorOf(keyId: Uint8Array): Uint8Array | undefined {
    return this.#byKeyId.get(bytesToHex(keyId));
  }
}
