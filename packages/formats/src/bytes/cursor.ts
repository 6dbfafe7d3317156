import type { ByteReader } from '../types.ts';
import { EndsEarlyError, StructureError } from './structure-error.ts';

/** The first window is small: most of what is looked at turns out to be something else within a few bytes. */
const FIRST_WINDOW_BYTES = 4 * 1024;
const WINDOW_BYTES = 256 * 1024;
const HIGH_WORD = 2 ** 32;

/**
 * Reads fields one after the other through a small window, so that a header or pickle of any length costs the same
 * memory. The fields are read without waiting; `fill` brings in the bytes first, and is needed only when `lacks` says so.
 * Reading a field that the window does not hold whole is a StructureError. Numbers are little-endian unless they say so.
 */
export class Cursor {
  readonly #reader: ByteReader;
  readonly #end: number;
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #windowStart: number;
  #windowBytes = FIRST_WINDOW_BYTES;
  #at = 0;

  /** @param end where what is read ends, at the latest with the file */
  constructor(reader: ByteReader, start: number, end = reader.size) {
    this.#reader = reader;
    this.#windowStart = start;
    this.#end = Math.min(end, reader.size);
  }

  /** Where the next field starts in the file. */
  get offset(): number {
    return this.#windowStart + this.#at;
  }

  /** Bytes up to the end. */
  get left(): number {
    return this.#end - this.offset;
  }

  lacks(length: number): boolean {
    return this.#at + length > this.#window.length;
  }

  /** Brings in `length` bytes, or all that are left. */
  async fill(length: number): Promise<void> {
    if (!this.lacks(length)) return;
    const start = this.offset;
    const bytes = Math.min(this.left, Math.max(length, this.#windowBytes));
    this.#windowBytes = Math.min(WINDOW_BYTES, this.#windowBytes * 8);
    this.#window = bytes > 0 ? await this.#reader.read(start, bytes) : new Uint8Array(0);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#windowStart = start;
    this.#at = 0;
  }

  skip(length: number): void {
    if (!(length >= 0 && length <= this.left)) throw tooShort();
    if (!this.lacks(length)) {
      this.#at += length;
      return;
    }
    this.#windowStart = this.offset + length;
    // Whoever jumps over what a file holds reads little of it in between.
    this.#windowBytes = FIRST_WINDOW_BYTES;
    this.#window = new Uint8Array(0);
    this.#at = 0;
  }

  /** A copy-free view that is good until the next `fill`. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#window.subarray(at, at + length);
  }

  /** Bytes up to the next newline of the window, at most `maxBytes`; undefined when there is none. */
  lineLength(maxBytes: number): number | undefined {
    const end = this.#window.subarray(this.#at, this.#at + maxBytes).indexOf(0x0a);
    return end === -1 ? undefined : end;
  }

  /** An unsigned number of so many bytes. Of 8, those above 2^53 are not exact. */
  uint(bytes: 0 | 1 | 2 | 4 | 8): number {
    const at = this.#advance(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return this.#view.getUint32(at, true);
    return bytes === 0 ? 0 : this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * HIGH_WORD;
  }

  u8(): number {
    return this.uint(1);
  }

  /** The next byte, which stays the next one. */
  peek(): number {
    if (this.lacks(1)) throw tooShort();
    return this.#view.getUint8(this.#at);
  }

  u16(): number {
    return this.uint(2);
  }

  u32(): number {
    return this.uint(4);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** A big-endian double, as pickles have them. */
  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** A count or an offset; one that a double cannot hold exactly is larger than any file. */
  u64(): number {
    const value = this.uint(8);
    if (value > Number.MAX_SAFE_INTEGER) throw new StructureError('a number is larger than any file');
    return value;
  }

  #advance(length: number): number {
    if (this.lacks(length)) throw tooShort();
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

function tooShort(): StructureError {
  return new EndsEarlyError('it ends too early');
}
