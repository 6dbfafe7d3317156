import type { Cursor } from './cursor.ts';
import { StructureError } from './structure-error.ts';

/** A varint of 64 bits has at most so many bytes. */
const MAX_VARINT_BYTES = 10;

/** A field of a protocol buffer. Source: https://protobuf.dev/programming-guides/encoding */
export interface ProtobufField {
  readonly number: number;
  /** The value of a number; for text, bytes and messages, how many bytes follow. */
  readonly value: number;
  readonly isBytes: boolean;
}

/**
 * Reads the head of the next field; the bytes of a text or message follow it and are left to the caller.
 * @throws StructureError when it is none, EndsEarlyError when it goes on behind the end
 */
export async function readProtobufField(cursor: Cursor): Promise<ProtobufField> {
  await cursor.fill(2 * MAX_VARINT_BYTES);
  const tag = readVarint(cursor);
  const number = Math.floor(tag / 8);
  if (number === 0 || number > 0x1fff_ffff) throw new StructureError('a field has no number');
  const kind = tag % 8;
  if (kind === 0) return { number, value: readVarint(cursor), isBytes: false };
  if (kind === 1 || kind === 5) {
    cursor.skip(kind === 1 ? 8 : 4);
    return { number, value: 0, isBytes: false };
  }
  if (kind !== 2) throw new StructureError('a field is of no kind');
  return { number, value: readVarint(cursor), isBytes: true };
}

/** A number that a double cannot hold exactly loses its last digits: none of those that count is that large. */
export function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  throw new StructureError('a number is too long');
}
