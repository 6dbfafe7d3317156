import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** What a frame carries, its last sealed byte. Others are passed over. */
export const FRAME_MESSAGE = 0;
export const FRAME_WORD = 1;

export interface OpenedFrame {
  readonly kind: number;
  /** The receiver's own. */
  readonly body: Uint8Array;
}

/**
 * Frames under one key. AES-GCM tells sealed blocks from random ones with a chance of 2^-60 after 2^34 of them; that
 * many are in so many of the longest messages.
 */
const FRAMES_PER_KEY = 2 ** 20;

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
const KIND_BYTES = 1;
const NEXT_KEY_LABEL = 'model-rtc/1/relay/next-key\0';

/** What a frame is longer than its body. */
export const SEAL_BYTES = KIND_BYTES + TAG_BYTES;

/** Seals the frames of one direction. The counter is in no frame, so each opens at its own place among them alone. */
export class FrameSealer {
  readonly #keys: KeySchedule;

  constructor(key: Uint8Array, framesPerKey = FRAMES_PER_KEY) {
    this.#keys = new KeySchedule(key, framesPerKey);
  }

  /** The body may be changed afterwards. */
  seal(kind: number, body: Uint8Array): Uint8Array {
    const { key, nonce } = this.#keys.next();
    const cipher = createCipheriv(CIPHER, key, nonce);
    const frame = Buffer.allocUnsafe(body.length + SEAL_BYTES);
    frame.set(cipher.update(body), 0);
    frame.set(cipher.update(Uint8Array.of(kind)), body.length);
    cipher.final();
    frame.set(cipher.getAuthTag(), body.length + KIND_BYTES);
    return frame;
  }
}

/** Opens the frames of one direction, in order. */
export class FrameOpener {
  readonly #keys: KeySchedule;

  constructor(key: Uint8Array, framesPerKey = FRAMES_PER_KEY) {
    this.#keys = new KeySchedule(key, framesPerKey);
  }

  /** @returns undefined for one that is not the next frame of the other side, as it made it; no later one opens then. */
  open(frame: Uint8Array): OpenedFrame | undefined {
    const sealedBytes = frame.length - TAG_BYTES;
    if (sealedBytes < KIND_BYTES) return undefined;
    const { key, nonce } = this.#keys.next();
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(frame.subarray(sealedBytes));
    const opened = decipher.update(frame.subarray(0, sealedBytes));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    const kindAt = sealedBytes - KIND_BYTES;
    return { kind: opened[kindAt] ?? FRAME_MESSAGE, body: opened.subarray(0, kindAt) };
  }
}

/** A key and a nonce for each frame, never the same twice. */
class KeySchedule {
  readonly #framesPerKey: number;
  readonly #nonce = Buffer.alloc(12);
  #keyBytes: Uint8Array;
  #key: KeyObject;
  #frames = 0;

  constructor(key: Uint8Array, framesPerKey: number) {
    this.#framesPerKey = framesPerKey;
    this.#keyBytes = key;
    this.#key = createSecretKey(key);
  }

  next(): { readonly key: KeyObject; readonly nonce: Uint8Array } {
    if (this.#frames > 0 && this.#frames % this.#framesPerKey === 0) this.#replaceKey();
    // Four zero bytes and the counter as u64, of which no lane will ever need more than 48 bits. The next key counts on.
    this.#nonce.writeUIntBE(this.#frames++, 6, 6);
    return { key: this.#key, nonce: this.#nonce };
  }

  #replaceKey(): void {
    this.#keyBytes = new Uint8Array(hkdfSync('sha256', this.#keyBytes, '', NEXT_KEY_LABEL, this.#keyBytes.length));
    this.#key = createSecretKey(this.#keyBytes);
  }
}
