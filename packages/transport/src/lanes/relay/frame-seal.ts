import { type FrameCipher, KIND_BYTES, type RelayCrypto, TAG_BYTES } from './relay-crypto.ts';

/** What a frame carries: its last sealed byte. Other kinds are ignored. */
export const FRAME_MESSAGE = 0;
export const FRAME_WORD = 1;

export interface OpenedFrame {
  readonly kind: number;
  /** In memory of the receiver. */
  readonly body: Uint8Array;
}

/**
 * Frames under one key. After 2^34 blocks, AES-GCM can be told from random with a chance of 2^-60; that
 * many are in this number of the longest messages.
 */
const FRAMES_PER_KEY = 2 ** 20;

const NEXT_KEY_LABEL = new TextEncoder().encode('model-rtc/1/relay/next-key\0');
const NO_SALT = new Uint8Array(0);

/** Seals the frames of one direction. The counter is in no frame, so each opens at its own place among them alone. */
export class FrameSealer {
  readonly #keys: KeySchedule;

  constructor(crypto: RelayCrypto, key: Uint8Array, framesPerKey = FRAMES_PER_KEY) {
    this.#keys = new KeySchedule(crypto, key, framesPerKey);
  }

  /** The body may be reused afterwards. */
  seal(kind: number, body: Uint8Array): Uint8Array {
    const { cipher, nonce } = this.#keys.next();
    return cipher.seal(nonce, body, kind);
  }
}

/** Opens the frames of one direction, in order. */
export class FrameOpener {
  readonly #keys: KeySchedule;

  constructor(crypto: RelayCrypto, key: Uint8Array, framesPerKey = FRAMES_PER_KEY) {
    this.#keys = new KeySchedule(crypto, key, framesPerKey);
  }

  /** @returns undefined for one that is not the next frame of the other side, as it made it; no later one opens then. */
  open(frame: Uint8Array): OpenedFrame | undefined {
    if (frame.length < KIND_BYTES + TAG_BYTES) return undefined;
    const { cipher, nonce } = this.#keys.next();
    const opened = cipher.open(nonce, frame);
    if (opened === undefined) return undefined;
    const kindAt = opened.length - KIND_BYTES;
    return { kind: opened[kindAt] ?? FRAME_MESSAGE, body: opened.subarray(0, kindAt) };
  }
}

/** A key and a nonce for each frame, never the same twice. */
class KeySchedule {
  readonly #crypto: RelayCrypto;
  readonly #framesPerKey: number;
  readonly #nonce = new Uint8Array(12);
  readonly #counter = new DataView(this.#nonce.buffer, 4);
  #key: Uint8Array;
  #cipher: FrameCipher;
  #frames = 0;

  constructor(crypto: RelayCrypto, key: Uint8Array, framesPerKey: number) {
    this.#crypto = crypto;
    this.#framesPerKey = framesPerKey;
    this.#key = key;
    this.#cipher = crypto.createCipher(key);
  }

  next(): { readonly cipher: FrameCipher; readonly nonce: Uint8Array } {
    if (this.#frames > 0 && this.#frames % this.#framesPerKey === 0) this.#replaceKey();
    // Four zero bytes and the counter as u64. No lane ever needs more than 48 bits of it. The next key counts on.
    this.#counter.setUint32(0, this.#frames / 2 ** 32);
    this.#counter.setUint32(4, this.#frames++);
    return { cipher: this.#cipher, nonce: this.#nonce };
  }

  #replaceKey(): void {
    this.#key = this.#crypto.deriveKey(this.#key, NO_SALT, NEXT_KEY_LABEL);
    this.#cipher = this.#crypto.createCipher(this.#key);
  }
}
