import type { ModelRtcError } from '@model-rtc/protocol';
import { HEAD_BYTES } from './frame-reader.ts';
import { OUT_BUFFER_BYTES } from './limits.ts';

/** What is needed of a socket: it calls back when it has no more use for the bytes. */
export interface ByteSink {
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): unknown;
}

interface WaitingMessage {
  readonly message: Uint8Array;
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
 * sender has its memory back at once. A message for which there is no room waits in its sender's own memory.
 */
export class FrameWriter {
  readonly #sink: ByteSink;
  readonly #waiting: WaitingMessage[] = [];
  #filling: OutBuffer | undefined;
  #idle: OutBuffer | undefined;
  #writing = false;
  /** Whether the last word is given, and what it is until it has its place. */
  #finishing = false;
  #lastWord: number | undefined;
  #whenFlushed: (() => void) | undefined;
  #writtenBytes = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** What the socket is done with, heads included. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** @returns undefined when the message was taken, else what resolves when it is. */
  add(message: Uint8Array): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#hasRoomFor(message.byteLength)) {
      this.#put(message.byteLength, message);
      this.#write();
      return undefined;
    }
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }));
  }

  /** Says a word if there is room for it; else so much is on its way that there is no need to. */
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

  /** What waits fails; what was taken still goes out. */
  drop(error: ModelRtcError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
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

  #write(): void {
    const buffer = this.#filling;
    if (this.#writing || buffer === undefined || buffer.usedBytes === 0) return;
    this.#writing = true;
    this.#filling = this.#idle;
    this.#idle = undefined;
    this.#sink.write(buffer.bytes.subarray(0, buffer.usedBytes), (error) => {
      this.#writing = false;
      // The socket tells its owner as well, who ends the lane.
      if (error) return;
      this.#writtenBytes += buffer.usedBytes;
      buffer.usedBytes = 0;
      this.#idle = buffer;
      this.#write();
      this.#fill();
      this.#write();
      if (!this.#writing) this.#flushed();
    });
  }

  /** Takes what waits, as far as there is room. */
  #fill(): void {
    let taken = 0;
    for (const { message, resolve } of this.#waiting) {
      if (!this.#hasRoomFor(message.byteLength)) break;
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
