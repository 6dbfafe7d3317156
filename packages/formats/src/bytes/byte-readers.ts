import type { ByteReader } from '../types.ts';

/** A part of what another reader reads, as a file of its own. */
export function sliceReader(reader: ByteReader, start: number, size: number): ByteReader {
  return { size, read: async (offset, length) => await reader.read(start + offset, length) };
}

export function bytesReader(bytes: Uint8Array): ByteReader {
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** The first bytes, as many as there are up to `length`. */
export async function readHead(reader: ByteReader, length: number): Promise<Uint8Array> {
  return await reader.read(0, Math.min(length, reader.size));
}

export function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Eight bytes at a time, where both lie in memory as such numbers have to: tensors are compared by the gigabyte.
  const wide = (a.byteOffset | b.byteOffset) % 8 === 0 ? Math.floor(a.length / 8) : 0;
  const wideA = new BigUint64Array(a.buffer, wide === 0 ? 0 : a.byteOffset, wide);
  const wideB = new BigUint64Array(b.buffer, wide === 0 ? 0 : b.byteOffset, wide);
  for (let i = 0; i < wide; i++) if (wideA[i] !== wideB[i]) return false;
  for (let i = wide * 8; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether an ASCII text occurs in bytes. Looks at about one byte for each letter (the algorithm of Horspool). */
export function includesAscii(bytes: Uint8Array, text: string): boolean {
  const last = text.length - 1;
  const letters = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const steps = new Uint8Array(256).fill(text.length);
  for (let i = 0; i < last; i++) steps[letters[i] as number] = last - i;
  for (let end = last; end < bytes.length; end += steps[bytes[end] as number] as number) {
    let i = last;
    while (i >= 0 && bytes[end - last + i] === letters[i]) i--;
    if (i < 0) return true;
  }
  return false;
}
