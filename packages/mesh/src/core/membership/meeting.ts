import { type Identity, identityFromSeed, toBase64Url } from '@model-rtc/protocol';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { MAX_MEETINGS } from '../limits.ts';
import type { SharedSecretOf } from './session.ts';

/** Texts that keep what is derived for one purpose from being taken for another. */
const MEETING_DOMAIN = utf8ToBytes('model-rtc/1/mesh/meeting\0');
const HOLDER_DOMAIN = utf8ToBytes('model-rtc/1/mesh/meeting-holder\0');
const KEY_BYTES = 32;

/** A room at signaling servers where a member waits for those who know no other member that is there. */
export interface MeetingRoom {
  /** The room's own, which every member can compute. */
  readonly identity: Identity;
  /** The same for all who hold the room, so that one does not put another out. */
  readonly instance: string;
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** 16 bytes: of the session by which the room is visited. */
  readonly secret: Uint8Array;
}

/** The secrets of the latest epochs, the newest first: a removed member does not know those that come after it. */
export function meetingSecrets(authority: Identity, epoch: number): Uint8Array[] {
  const oldest = Math.max(0, epoch - MAX_MEETINGS + 1);
  const secrets: Uint8Array[] = [];
  for (let one = epoch; one >= oldest; one--) {
    // Ed25519 signs without randomness, and nobody else is shown this signature.
    const signature = authority.sign(concatBytes(MEETING_DOMAIN, bigEndian(one)));
    secrets.push(hkdf(sha256, signature, authority.publicKey, MEETING_DOMAIN, KEY_BYTES));
  }
  return secrets;
}

export function meetingRoom(meshId: Uint8Array, secret: Uint8Array): MeetingRoom {
  const derive = (what: string, length: number) =>
    hkdf(sha256, secret, meshId, concatBytes(MEETING_DOMAIN, utf8ToBytes(what)), length);
  return {
    identity: identityFromSeed(derive('identity', 32)),
    instance: toBase64Url(derive('instance', 16)),
    keyId: derive('key id', 8),
    secret: derive('secret', 16),
  };
}

export interface HolderOptions {
  readonly meshId: Uint8Array;
  /** The member that holds the room. */
  readonly holderKey: Uint8Array;
  /** The member that is told. */
  readonly askerKey: Uint8Array;
  /** 32 random bytes: the private key for this one answer. */
  readonly seed: Uint8Array;
  readonly sharedSecretsOf: (seed: Uint8Array) => SharedSecretOf;
}

/**
 * Who holds a room, so that the asker alone can read it: others may show the asker's membership, which all members have.
 * @returns 64 bytes
 * @throws Error for an `askerKey` that is no key
 */
export function packHolder({ meshId, holderKey, askerKey, seed, sharedSecretsOf }: HolderOptions): Uint8Array {
  const once = identityFromSeed(seed).publicKey;
  return concatBytes(once, masked(holderKey, { meshId, once, shared: sharedSecretsOf(seed)(askerKey) }));
}

/**
 * @param sharedSecretOf - the asker's
 * @returns the key: 64 hex characters. What was not meant for the asker gives a key of nobody.
 * @throws Error for bytes that hold no key
 */
export function unpackHolder(packed: Uint8Array, meshId: Uint8Array, sharedSecretOf: SharedSecretOf): string {
  const once = packed.slice(0, KEY_BYTES);
  return bytesToHex(masked(packed.slice(KEY_BYTES), { meshId, once, shared: sharedSecretOf(once) }));
}

interface MaskParts {
  readonly meshId: Uint8Array;
  readonly once: Uint8Array;
  readonly shared: Uint8Array;
}

/** Masking it again gives the key back. */
function masked(key: Uint8Array, { meshId, once, shared }: MaskParts): Uint8Array {
  const mask = hkdf(sha256, shared, meshId, concatBytes(HOLDER_DOMAIN, once), KEY_BYTES);
  return key.map((byte, i) => byte ^ (mask[i] ?? 0));
}

function bigEndian(value: number): Uint8Array {
  return hexToBytes(value.toString(16).padStart(16, '0'));
}
