import type { ByteReader } from './byte-reader.ts';
import { StructureError } from './structure-error.ts';

const WINDOW_BYTES = 256 * 1024;
const HIGH_WORD = 2 ** 32;

/**
 * Reads little-endian fields one after the other through a small window, so that a header of any length costs the same
 * memory. The fields are read without waiting; `fill` brings in the bytes first, and is needed only when `lacks` says so.
 */
export class Cursor {
  readonly #reader: ByteReader;
  readonly #end: number;
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #windowStart: number;
  #at = 0;

  /** Reading past `end`, or past the file's end, is a StructureError. */
  constructor(reader: ByteReader, start: number, end: number) {
    this.#reader = reader;
    this.#windowStart = start;
    this.#end = Math.min(end, reader.size);
  }

  /** Where the next field starts in the file. */
  get offset(): number {
    return this.#windowStart + this.#at;
  }

  lacks(length: number): boolean {
    return this.#at + length > this.#window.length;
  }

  async fill(length: number): Promise<void> {
    if (!this.lacks(length)) return;
    const start = this.offset;
    const available = this.#end - start;
    if (length > available) throw new StructureError('a field goes past the end');
    this.#window = await this.#reader.read(start, Math.min(available, Math.max(length, WINDOW_BYTES)));
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#windowStart = start;
    this.#at = 0;
  }

  skip(length: number): void {
    const target = this.offset + length;
    if (!(length >= 0) || target > this.#end) throw new StructureError('a field goes past the end');
    if (!this.lacks(length)) {
      this.#at += length;
      return;
    }
    this.#window = new Uint8Array(0);
    this.#windowStart = target;
    this.#at = 0;
  }

  /** A copy-free view that is good until the next `fill`. */
  take(length: number): Uint8Array {
    this.#at += length;
    return this.#window.subarray(this.#at - length, this.#at);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
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

  /** A count or an offset; one that a double cannot hold exactly is larger than any file. */
  u64(): number {
    const value = this.u32() + this.u32() * HIGH_WORD;
    if (value > Number.MAX_SAFE_INTEGER) throw new StructureError('a number is larger than any file');
    return value;
  }

  #advance(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
