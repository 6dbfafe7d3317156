import { ModelRtcError } from '@model-rtc/protocol';
import { HEAD_BYTES } from '../../core/peer/limits.ts';
import { MAX_SPARE_BUFFERS, TLS_RECORD_BYTES } from './limits.ts';

/** A head with this length is the end: no message is empty. */
export const END_WORD = 0;
/** Heads from here on are words without a message. Unknown ones are ignored. */
const FIRST_WORD = 0xff00_0000;
/** Something arrived since this was last said. */
export const HEARD_WORD = 0xffff_ffff;

export interface FrameHandlers {
  onMessage(message: Uint8Array): void;
  /** Nothing more is read after it. */
  onEnd(): void;
}

/**
 * Splits a stream of bytes into messages, each in memory of its own. Memory is expensive at this speed: fresh
 * buffers cost as much as decrypting their contents, so buffers that the reader gives back are reused.
 */
export class FrameReader {
  readonly #maxMessageBytes: number;
  readonly #handlers: FrameHandlers;
  #head = 0;
  #headBytes = 0;
  #message: Uint8Array | undefined;
  #filledBytes = 0;
  #ended = false;
  /** Buffers that the reader holds, so that nothing else is mistaken for one and none is taken back twice. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #spare: Uint8Array[] = [];

  constructor(maxMessageBytes: number, handlers: FrameHandlers) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#handlers = handlers;
  }

  /**
   * Takes the next bytes. The caller may reuse them afterwards.
   * @throws ModelRtcError `malformed_message` for a message that is longer than allowed
   */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength && !this.#ended; ) {
      at += this.#message === undefined ? this.#takeHead(bytes, at) : this.#takeBody(bytes, at);
    }
  }

  /** Takes back the memory of a message that was read. */
  recycle(message: Uint8Array): void {
    const { buffer } = message;
    if (!this.#lent.delete(buffer) || buffer.byteLength === 0) return;
    if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(new Uint8Array(buffer));
  }

  #takeHead(bytes: Uint8Array, from: number): number {
    let at = from;
    while (this.#headBytes < HEAD_BYTES && at < bytes.byteLength) {
      this.#head = ((this.#head << 8) | (bytes[at] as number)) >>> 0;
      this.#headBytes++;
      at++;
    }
    if (this.#headBytes === HEAD_BYTES) this.#begin(this.#head);
    return at - from;
  }

  #begin(head: number): void {
    this.#head = 0;
    this.#headBytes = 0;
    if (head === END_WORD) {
      this.#ended = true;
      this.#handlers.onEnd();
    } else if (head < FIRST_WORD) {
      if (head > this.#maxMessageBytes) throw tooLongError(head, this.#maxMessageBytes);
      this.#message = this.#allocate(head);
      this.#filledBytes = 0;
    }
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const message = this.#message as Uint8Array;
    const wantedBytes = message.byteLength - this.#filledBytes;
    // Most records are used whole, and a view costs as much as a copy.
    const part = at === 0 && wantedBytes >= bytes.byteLength ? bytes : bytes.subarray(at, at + wantedBytes);
    message.set(part, this.#filledBytes);
    this.#filledBytes += part.byteLength;
    if (this.#filledBytes === message.byteLength) {
      this.#message = undefined;
      this.#handlers.onMessage(message);
    }
    return part.byteLength;
  }

  #allocate(length: number): Uint8Array {
    // Small buffers are not worth the bookkeeping.
    if (length < TLS_RECORD_BYTES) return new Uint8Array(length);
    let buffer = this.#spare.pop();
    if (buffer === undefined || buffer.byteLength < length) buffer = Buffer.allocUnsafeSlow(length);
    this.#lent.add(buffer.buffer);
    return buffer.subarray(0, length);
  }
}

function tooLongError(bytes: number, takes: number): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The other side sent more than it was allowed to; check that it runs a current model-rtc.',
    { details: { bytes, takes } },
  );
}
