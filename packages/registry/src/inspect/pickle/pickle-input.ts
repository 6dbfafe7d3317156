import type { ByteReader } from '@model-rtc/formats';

const WINDOW_BYTES = 256 * 1024;

/** The pickle ends, or says what no pickle can say: whoever loads it gets an error here. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

/**
 * Reads a file forward through a small window, so that a pickle of any length costs the same memory. Bytes are taken
 * without waiting; `fill` brings them in first, and is needed only when `lacks` says so.
 */
export class PickleInput {
  readonly #reader: ByteReader;
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#window.buffer);
  #start: number;
  #at = 0;

  constructor(reader: ByteReader, start: number) {
    this.#reader = reader;
    this.#start = start;
  }

  /** Where the next byte is in the file. */
  get offset(): number {
    return this.#start + this.#at;
  }

  get left(): number {
    return this.#reader.size - this.offset;
  }

  lacks(length: number): boolean {
    return this.#at + length > this.#window.length;
  }

  /** Brings in `length` bytes, or all that are left. */
  async fill(length: number): Promise<void> {
    if (!this.lacks(length)) return;
    const start = this.offset;
    const bytes = Math.min(this.#reader.size - start, Math.max(length, WINDOW_BYTES));
    this.#window = bytes > 0 ? await this.#reader.read(start, bytes) : new Uint8Array(0);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#start = start;
    this.#at = 0;
  }

  /** A view that is good until the next `fill`. @throws PickleError when the file ends before */
  take(length: number): Uint8Array {
    this.#require(length);
    this.#at += length;
    return this.#window.subarray(this.#at - length, this.#at);
  }

  /** @throws PickleError when the file ends before */
  skip(length: number): void {
    if (!(length <= this.left)) throw new PickleError('it ends too early');
    if (!this.lacks(length)) {
      this.#at += length;
      return;
    }
    this.#start = this.offset + length;
    this.#window = new Uint8Array(0);
    this.#at = 0;
  }

  /** Bytes up to the next newline, of which it has at most `maxBytes`; undefined when there is none. */
  lineLength(maxBytes: number): number | undefined {
    const end = this.#window.subarray(this.#at, this.#at + maxBytes).indexOf(0x0a);
    return end === -1 ? undefined : end;
  }

  /** An unsigned little-endian number. */
  uint(bytes: number): number {
    this.#require(bytes);
    const at = this.#at;
    this.#at += bytes;
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return this.#view.getUint32(at, true);
    return bytes === 0 ? 0 : this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** A big-endian double, as pickles have them. */
  double(): number {
    this.#require(8);
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8);
  }

  #require(length: number): void {
    if (this.lacks(length)) throw new PickleError('it ends too early');
  }
}
