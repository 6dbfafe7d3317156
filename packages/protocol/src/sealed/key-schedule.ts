import { gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { MAX_ENVELOPES } from '../limits.ts';
import { interference, type RefusalEnvelope, type WorkerEnvelope } from './envelope.ts';

export type Direction = 'to-worker' | 'to-visitor';

/** Texts that keep a key, hash or signature for one purpose from being taken for another. */
const DOMAINS = {
  key: utf8ToBytes('model-rtc/1/sealed/key\0'),
  chain: utf8ToBytes('model-rtc/1/sealed/chain\0'),
  signature: utf8ToBytes('model-rtc/1/sealed/signature\0'),
  refusal: utf8ToBytes('model-rtc/1/sealed/refusal\0'),
};
const DIRECTION_BYTE: Readonly<Record<Direction, number>> = { 'to-worker': 1, 'to-visitor': 2 };

/** Where random bytes come from; tests and vectors fix them. */
export type RandomBytes = (length: number) => Uint8Array;

/**
 * The AES-256-GCM key of one direction of one exchange (HKDF-SHA256, RFC 5869). Each exchange has keys of its own, so that
 * nothing of one can be opened in another, and random nonces never come near their birthday bound.
 */
export function directionKey(
  secret: Uint8Array,
  workerKey: Uint8Array,
  exchangeId: Uint8Array,
  direction: Direction,
): Uint8Array {
  const info = concatBytes(DOMAINS.key, Uint8Array.of(DIRECTION_BYTE[direction]), exchangeId);
  return hkdf(sha256, secret, workerKey, info, 32);
}

export function encrypt(key: Uint8Array, nonce: Uint8Array, header: Uint8Array, bytes: Uint8Array): Uint8Array {
  return gcm(key, nonce, header).encrypt(bytes);
}

/** @throws ModelRtcError `refused` when the ciphertext or its header is not what the holder of the key made. */
export function decrypt(key: Uint8Array, nonce: Uint8Array, header: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  try {
    return gcm(key, nonce, header).decrypt(ciphertext);
  } catch (cause) {
    throw interference('an envelope was changed on its way, or sealed with another session token', cause);
  }
}

/**
 * The envelopes of one direction so far, as a hash chain: `H(0) = SHA-256(domain, direction, exchange id)`,
 * `H(n + 1) = SHA-256(H(n), envelope n)`.
 */
export class Transcript {
  readonly #hashes: Uint8Array[];

  constructor(exchangeId: Uint8Array, direction: Direction) {
    this.#hashes = [sha256(concatBytes(DOMAINS.chain, Uint8Array.of(DIRECTION_BYTE[direction]), exchangeId))];
  }

  /** How many envelopes there were. */
  get count(): number {
    return this.#hashes.length - 1;
  }

  /** The chain after all envelopes. */
  get latest(): Uint8Array {
    return this.#hashes[this.count] as Uint8Array;
  }

  /** The chain after the first `count` envelopes; undefined when there were not so many. */
  after(count: number): Uint8Array | undefined {
    return this.#hashes[count];
  }

  /** @throws ModelRtcError `refused` when no exchange needs so many. */
  checkRoom(): void {
    if (this.count >= MAX_ENVELOPES) throw interference(`more than ${MAX_ENVELOPES} envelopes came`);
  }

  append(envelope: Uint8Array): void {
    this.#hashes.push(sha256(concatBytes(this.latest, envelope)));
  }
}

/** What the worker signs: everything it received from the visitor, everything it sent, and this envelope. */
export function signedText(
  visitorChain: Uint8Array,
  workerChain: Uint8Array,
  envelope: Pick<WorkerEnvelope, 'header' | 'ciphertext'>,
): Uint8Array {
  return concatBytes(DOMAINS.signature, visitorChain, workerChain, envelope.header, envelope.ciphertext);
}

/** What the worker signs when it refuses: the refused envelope, and the reason. */
export function refusalText(firstEnvelope: Uint8Array, refusal: Pick<RefusalEnvelope, 'header' | 'error'>): Uint8Array {
  return concatBytes(DOMAINS.refusal, sha256(firstEnvelope), refusal.header, refusal.error);
}
