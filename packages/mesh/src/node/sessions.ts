import type { Scope, SessionToken } from '@model-rtc/protocol';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  type MeetingRoom,
  MeshVisitors,
  meetingRoom,
  meshKeyId,
  meshSecret,
  meshSession,
  packHolder,
  type SharedSecretOf,
  sharedSecretsOf,
  unpackHolder,
} from '../core/index.ts';
import type { LanSighting } from './mdns/types.ts';

/** Texts that keep what is derived for one purpose from being taken for another. */
const DOOR_DOMAIN = utf8ToBytes('model-rtc/1/mesh/door\0');
const LAN_DOMAIN = utf8ToBytes('model-rtc/1/mesh/lan\0');
const LAN_KEY_DOMAIN = utf8ToBytes('model-rtc/1/mesh/lan-key\0');
const HINT_BYTES = 8;

/** Who visits this machine's worker with a session of the mesh. */
export type MeshVisitor =
  | { readonly kind: 'member'; readonly key: string; readonly secret: Uint8Array }
  /** Somebody who knows the mesh's id, and may show a membership. */
  | { readonly kind: 'door'; readonly secret: Uint8Array };

/** The sessions between this machine and the members of one mesh, which no one hands out. */
export class MeshSessions {
  readonly #meshId: Uint8Array;
  readonly #ownKey: Uint8Array;
  readonly #sharedSecretOf: SharedSecretOf;
  readonly #shared = new Map<string, Uint8Array>();
  /** Each announcement on the network is compared with those of all members. */
  readonly #hints = new Map<string | undefined, string>();
  readonly #visitors: MeshVisitors;
  readonly #door: { readonly keyId: string; readonly secret: Uint8Array };

  constructor(meshId: string, ownKey: Uint8Array, sharedSecretOf: SharedSecretOf) {
    this.#meshId = hexToBytes(meshId);
    this.#ownKey = ownKey;
    this.#sharedSecretOf = sharedSecretOf;
    this.#visitors = new MeshVisitors(this.#meshId, ownKey);
    const { keyId, secret } = doorOf(this.#meshId, ownKey);
    this.#door = { keyId: bytesToHex(keyId), secret };
  }

  /** From now on these may visit, and nobody else. */
  setMembers(keys: readonly string[]): void {
    this.#visitors.setMembers(keys.map(hexToBytes));
  }

  /** @param keyId - 16 hex characters. @returns undefined for a session of no member */
  visitorOf(keyId: string): MeshVisitor | undefined {
    if (keyId === this.#door.keyId) return { kind: 'door', secret: this.#door.secret };
    const visitorKey = this.#visitors.visitorOf(hexToBytes(keyId));
    if (visitorKey === undefined) return undefined;
    const pair = { meshId: this.#meshId, visitorKey, workerKey: this.#ownKey };
    const key = bytesToHex(visitorKey);
    return { kind: 'member', key, secret: meshSecret(pair, this.#sharedWith(key)) };
  }

  /** The session by which this machine visits a member's worker. */
  sessionFor(key: string, urls: readonly string[], scopes: readonly Scope[]): SessionToken {
    const pair = { meshId: this.#meshId, visitorKey: this.#ownKey, workerKey: hexToBytes(key) };
    return meshSession({ pair, shared: this.#sharedWith(key), urls, scopes });
  }

  /** The session by which a member's worker can be told that this machine is one. */
  doorFor(key: string, urls: readonly string[]): SessionToken {
    const workerKey = hexToBytes(key);
    const { keyId, secret } = doorOf(this.#meshId, workerKey);
    return { urls, workerKey, keyId, secret, scopes: ['read'], expiresAt: undefined, features: ['ask'] };
  }

  /** @param secret - of the meeting rooms of one epoch */
  meetingRoom(secret: Uint8Array): MeetingRoom {
    return meetingRoom(this.#meshId, secret);
  }

  /** What tells a member alone that this machine holds a meeting room. */
  holderFor(askerKey: string): Uint8Array {
    const keys = { holderKey: this.#ownKey, askerKey: hexToBytes(askerKey) };
    return packHolder({ meshId: this.#meshId, ...keys, seed: randomBytes(32), sharedSecretsOf });
  }

  /** @returns the key of the member that holds a meeting room. @throws Error for bytes that hold no key */
  holderIn(packed: Uint8Array): string {
    return unpackHolder(packed, this.#meshId, this.#sharedSecretOf);
  }

  /** By what a node of this mesh is told on a local network: 16 hex characters that say nothing to others. */
  lanHint(key?: string): string {
    const known = this.#hints.get(key);
    if (known !== undefined) return known;
    const parts = key === undefined ? [this.#meshId] : [this.#meshId, hexToBytes(key)];
    const hint = bytesToHex(sha256(concatBytes(LAN_DOMAIN, ...parts)).subarray(0, HINT_BYTES));
    this.#hints.set(key, hint);
    return hint;
  }

  /** A key as it is told on a local network: whoever knows the mesh's id can read it, and others learn nothing. Masking it again gives it back. */
  maskedKey(key: string, nodeHint: string): string {
    const mask = hkdf(sha256, this.#meshId, hexToBytes(nodeHint), LAN_KEY_DOMAIN, 32);
    return bytesToHex(hexToBytes(key).map((byte, i) => byte ^ (mask[i] ?? 0)));
  }

  /** The key of a node that was heard on a local network; undefined for what does not belong to this mesh. */
  heardKey({ nodeHint, maskedKey }: Pick<LanSighting, 'nodeHint' | 'maskedKey'>): string | undefined {
    if (maskedKey === undefined) return undefined;
    const key = this.maskedKey(maskedKey, nodeHint);
    return this.lanHint(key) === nodeHint ? key : undefined;
  }

  #sharedWith(key: string): Uint8Array {
    const shared = this.#shared.get(key) ?? this.#sharedSecretOf(hexToBytes(key));
    this.#shared.set(key, shared);
    return shared;
  }
}

/** Whoever knows the mesh's id can compute it; the worker's signature over the exchange keeps others out of the middle. */
function doorOf(
  meshId: Uint8Array,
  workerKey: Uint8Array,
): { readonly keyId: Uint8Array; readonly secret: Uint8Array } {
  const keyId = meshKeyId({ meshId, visitorKey: DOOR_DOMAIN, workerKey });
  return { keyId, secret: hkdf(sha256, meshId, workerKey, DOOR_DOMAIN, 16) };
}
