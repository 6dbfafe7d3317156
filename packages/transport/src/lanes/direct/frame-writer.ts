import type { ModelRtcError } from '@model-rtc/protocol';
import { HEAD_BYTES } from '../../core/peer/limits.ts';
import { MIN_IN_PLACE_BYTES, OUT_BUFFER_BYTES } from './limits.ts';

/** The part of a socket that is used. It calls back when the bytes may be reused. */
export interface ByteSink {
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): unknown;
}

interface WaitingMessage {
  readonly message: Uint8Array;
  /** The message behind its head, in its sender's memory; undefined for one that will be copied. */
  readonly inPlace: Uint8Array | undefined;
  resolve(): void;
  reject(error: ModelRtcError): void;
}

interface OutBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  usedBytes: number;
}

/**
 * Messages on their way to a socket. They are copied, behind their heads, into one buffer while another is with the
 * socket, and the two change places: what is sent without waiting goes out together, each buffer is one write, and a
 * sender has its memory back at once. A message for which there is no room waits in its sender's own memory. A long one with
 * room for its head before it goes out from there.
 */
export class FrameWriter {
  readonly #sink: ByteSink;
  readonly #waiting: WaitingMessage[] = [];
  #filling: OutBuffer | undefined;
  #idle: OutBuffer | undefined;
  /** The message that the socket is sending from its sender's memory. */
  #inPlace: WaitingMessage | undefined;
  #writing = false;
  /** Whether the last word was given, and the word until it is in a buffer. */
  #finishing = false;
  #lastWord: number | undefined;
  #whenFlushed: (() => void) | undefined;
  #writtenBytes = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes that the socket has sent, heads included. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * @param headroom bytes before the message that may be overwritten
   * @returns undefined when the message was taken, else what resolves when it is.
   */
  add(message: Uint8Array, headroom = 0): Promise<void> | undefined {
    const inPlace =
      headroom >= HEAD_BYTES && message.byteLength >= MIN_IN_PLACE_BYTES ? behindHead(message) : undefined;
    if (inPlace === undefined && this.#waiting.length === 0 && this.#hasRoomFor(message.byteLength)) {
      this.#put(message.byteLength, message);
      this.#write();
      return undefined;
    }
    const taken = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ message, inPlace, resolve, reject });
    });
    this.#write();
    return taken;
  }

  /** Says a word if there is room for it. Otherwise enough is on its way to make it unnecessary. */
  say(word: number): void {
    if (this.#waiting.length > 0 || this.#finishing || !this.#hasRoomFor(0)) return;
    this.#put(word);
    this.#write();
  }

  /** Says a word after all that was added, and calls back when the socket is done with it. Nothing is added after it. */
  finish(lastWord: number, whenFlushed: () => void): void {
    this.#finishing = true;
    this.#lastWord = lastWord;
    this.#whenFlushed = whenFlushed;
    this.#fill();
    this.#write();
  }

  /** Waiting messages fail; copied ones still go out. */
  drop(error: ModelRtcError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#inPlace?.reject(error);
  }

  #hasRoomFor(messageBytes: number): boolean {
    this.#filling ??= { ...newBytes(), usedBytes: 0 };
    return this.#filling.usedBytes + HEAD_BYTES + messageBytes <= OUT_BUFFER_BYTES;
  }

  #put(head: number, message?: Uint8Array): void {
    const filling = this.#filling as OutBuffer;
    filling.view.setUint32(filling.usedBytes, head);
    filling.usedBytes += HEAD_BYTES;
    if (message === undefined) return;
    filling.bytes.set(message, filling.usedBytes);
    filling.usedBytes += message.byteLength;
  }

  /** Copied messages come before waiting ones. */
  #write(): void {
    if (this.#writing) return;
    const buffer = this.#filling;
    if (buffer !== undefined && buffer.usedBytes > 0) this.#writeBuffer(buffer);
    else if (this.#waiting[0]?.inPlace !== undefined) this.#writeInPlace(this.#waiting[0].inPlace);
  }

  #writeBuffer(buffer: OutBuffer): void {
    this.#filling = this.#idle;
    this.#idle = undefined;
    this.#give(buffer.bytes.subarray(0, buffer.usedBytes), () => {
      buffer.usedBytes = 0;
      this.#idle = buffer;
    });
  }

  #writeInPlace(bytes: Uint8Array): void {
    this.#inPlace = this.#waiting.shift();
    this.#give(bytes, () => {
      this.#inPlace?.resolve();
      this.#inPlace = undefined;
    });
  }

  #give(bytes: Uint8Array, release: () => void): void {
    this.#writing = true;
    this.#sink.write(bytes, (error) => {
      this.#writing = false;
      // The socket tells its owner too, which ends the lane.
      if (error) return;
      this.#writtenBytes += bytes.byteLength;
      release();
      this.#write();
      this.#fill();
      this.#write();
      if (!this.#writing) this.#flushed();
    });
  }

  /** Copies waiting messages while there is room, up to the first that is sent in place. */
  #fill(): void {
    let taken = 0;
    for (const { message, inPlace, resolve } of this.#waiting) {
      if (inPlace !== undefined || !this.#hasRoomFor(message.byteLength)) break;
      this.#put(message.byteLength, message);
      resolve();
      taken++;
    }
    this.#waiting.splice(0, taken);
    if (this.#lastWord === undefined || this.#waiting.length > 0 || !this.#hasRoomFor(0)) return;
    this.#put(this.#lastWord);
    this.#lastWord = undefined;
  }

  #flushed(): void {
    const whenFlushed = this.#whenFlushed;
    this.#whenFlushed = undefined;
    whenFlushed?.();
  }
}

function newBytes(): Pick<OutBuffer, 'bytes' | 'view'> {
  const bytes = Buffer.allocUnsafeSlow(OUT_BUFFER_BYTES);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Writes the head of a message into the memory before it. */
function behindHead(message: Uint8Array): Uint8Array {
  const whole = new Uint8Array(message.buffer, message.byteOffset - HEAD_BYTES, HEAD_BYTES + message.byteLength);
  new DataView(whole.buffer, whole.byteOffset).setUint32(0, message.byteLength);
  return whole;
}
