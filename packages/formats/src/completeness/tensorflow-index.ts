import { bytesReader } from '../bytes/byte-readers.ts';
import { Cursor } from '../bytes/cursor.ts';
import { readProtobufField, readVarint } from '../bytes/protobuf.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';

/** Two handles, filled up, and the number that tables end with. */
const FOOTER_BYTES = 48;
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** Behind each block: how it is compressed, and a checksum. */
const TRAILER_BYTES = 5;
/** An index of 100,000 tensors takes some 10 MB, in blocks of 256 KiB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MAX_BLOCK_BYTES = 8 * 1024 * 1024;

/** What the index of a TensorFlow checkpoint says of its data files. */
export interface CheckpointIndex {
  /** How many there are; undefined when the index does not say. */
  readonly shards: number | undefined;
  /** By number: where the last tensor in it ends. */
  readonly ends: ReadonlyMap<number, number>;
}

/** Whether a file ends as such a table does. */
export async function isCheckpointIndex(reader: ByteReader): Promise<boolean> {
  if (reader.size < FOOTER_BYTES) return false;
  const magic = await reader.read(reader.size - MAGIC.length, MAGIC.length);
  return MAGIC.every((byte, i) => magic[i] === byte);
}

/**
 * Reads the index of a TensorFlow checkpoint: a sorted table (as of LevelDB) from a tensor's name to where it is.
 * Source: tensorflow/core/util/tensor_bundle and tensorflow/core/lib/io/format.cc.
 * @returns undefined for an index that is compressed or too large to be read
 * @throws StructureError for a broken one
 */
export async function readCheckpointIndex(reader: ByteReader): Promise<CheckpointIndex | undefined> {
  if (reader.size > MAX_INDEX_BYTES) return undefined;
  const footer = new Cursor(reader, reader.size - FOOTER_BYTES);
  await footer.fill(FOOTER_BYTES);
  readHandle(footer);
  const listing = await readBlock(reader, readHandle(footer));
  if (listing === undefined) return undefined;
  const ends = new Map<number, number>();
  let shards: number | undefined;
  for (const row of rowsOf(listing)) {
    const handle = new Cursor(bytesReader(row.value), 0);
    await handle.fill(row.value.length);
    const block = await readBlock(reader, readHandle(handle));
    if (block === undefined) return undefined;
    for (const { key, value } of rowsOf(block)) {
      const fields = await numbersOf(value);
      // The row without a name is the header.
      if (key.length === 0) shards = fields.get(1) ?? 1;
      else {
        const shard = fields.get(3) ?? 0;
        ends.set(shard, Math.max(ends.get(shard) ?? 0, (fields.get(4) ?? 0) + (fields.get(5) ?? 0)));
      }
    }
  }
  return { shards, ends };
}

interface Handle {
  readonly offset: number;
  readonly size: number;
}

function readHandle(cursor: Cursor): Handle {
  return { offset: readVarint(cursor), size: readVarint(cursor) };
}

/** Undefined for a compressed one. */
async function readBlock(reader: ByteReader, { offset, size }: Handle): Promise<Uint8Array | undefined> {
  if (size > MAX_BLOCK_BYTES || !(offset + size + TRAILER_BYTES <= reader.size)) {
    throw new StructureError('a block of it lies behind its end');
  }
  const bytes = await reader.read(offset, size + 1);
  return bytes[size] === 0 ? bytes.subarray(0, size) : undefined;
}

interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Each key leaves out what it begins with as the key before it does. */
function* rowsOf(block: Uint8Array): Iterable<Row> {
  if (block.length < 4) throw new StructureError('a block of it is too short');
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const end = block.length - 4 - 4 * view.getUint32(block.length - 4, true);
  if (end < 0) throw new StructureError('a block of it is too short');
  let key = new Uint8Array(0);
  for (let at = 0; at < end; ) {
    const lengths: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { value, next } = varintAt(block, at, end);
      lengths.push(value);
      at = next;
    }
    const [shared, own, length] = lengths as [number, number, number];
    if (shared > key.length || !(at + own + length <= end)) throw new StructureError('a row of it is too long');
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(block.subarray(at, at + own), shared);
    key = next;
    yield { key, value: block.subarray(at + own, at + own + length) };
    at += own + length;
  }
}

function varintAt(bytes: Uint8Array, start: number, end: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = bytes[start + i] as number;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: start + i + 1 };
  }
  throw new EndsEarlyError('a row of it ends too early');
}

/** The numbers of a message, by field. */
async function numbersOf(message: Uint8Array): Promise<Map<number, number>> {
  const numbers = new Map<number, number>();
  const cursor = new Cursor(bytesReader(message), 0);
  while (cursor.left > 0) {
    const { number, value, isBytes } = await readProtobufField(cursor);
    if (isBytes) cursor.skip(value);
    else numbers.set(number, value);
  }
  return numbers;
}
