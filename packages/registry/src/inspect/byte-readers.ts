import type { ByteReader } from '@model-rtc/formats';

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
