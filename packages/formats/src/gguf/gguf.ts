import { Cursor } from '../bytes/cursor.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { blockOf } from '../chunks/cut-parts.ts';
import { MAX_GGUF_HEADER_BYTES, MAX_NAME_BYTES, MAX_STRUCTURE_ENTRIES } from '../limits.ts';
import type { ByteReader, FileFormat, FileTensor, Part } from '../types.ts';
import { ggufBytes, ggufTypeName } from './gguf-types.ts';

/** The first bytes: `GGUF`. */
export const GGUF_HEAD = [0x47, 0x47, 0x55, 0x46];
const MAGIC = 0x4655_4747;
/** Magic, version, and the numbers of tensors and values. */
const FIXED_BYTES = 24;
const MAX_DIMENSIONS = 8;
const DEFAULT_ALIGNMENT = 32;
/** Texts and names that are kept; longer ones (chat templates, token lists) are skipped. */
const MAX_KEPT_TEXT_BYTES = MAX_NAME_BYTES;

/** The bytes of each metadata value type, by its number; 8 is text and 9 an array. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;
const TEXT = 8;
const ARRAY = 9;

type Scalar = string | number | boolean;

/** A tensor and where it starts in its file. */
export interface GgufTensor {
  readonly name: string;
  readonly start: number;
  /** The number of its type, see `ggml_type`. */
  readonly type: number;
  /** The innermost dimension first, as the file has it. */
  readonly shape: readonly number[];
}

/** What a GGUF file says of itself. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, Scalar>;
  /** How many items each array of the metadata has; the items are not kept. */
  readonly counts: ReadonlyMap<string, number>;
  readonly tensors: readonly GgufTensor[];
  /** Where the bytes of the tensors begin, and what each of their starts is a multiple of, counted from there. */
  readonly dataStart: number;
  readonly alignment: number;
}

/**
 * The header of a little-endian GGUF file of version 2 or 3; undefined when the file is not GGUF.
 * @throws StructureError when the header is broken.
 */
export async function readGgufHeader(reader: ByteReader): Promise<GgufHeader | undefined> {
  if (reader.size < FIXED_BYTES) return undefined;
  const magic = await reader.read(0, 4);
  if (new DataView(magic.buffer, magic.byteOffset).getUint32(0, true) !== MAGIC) return undefined;
  const cursor = new Cursor(reader, 4, MAX_GGUF_HEADER_BYTES);
  await cursor.fill(FIXED_BYTES - 4);
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new StructureError('unknown version');
  const tensorCount = cursor.u64();
  const valueCount = cursor.u64();
  if (tensorCount > MAX_STRUCTURE_ENTRIES || valueCount > MAX_STRUCTURE_ENTRIES) {
    throw new StructureError('too many entries');
  }
  const metadata = new Map<string, Scalar>();
  const counts = new Map<string, number>();
  for (let i = 0; i < valueCount; i++) {
    const key = await readText(cursor, MAX_NAME_BYTES);
    const value = await readValue(cursor);
    if (typeof value === 'object') counts.set(key, value.count);
    else if (value !== undefined) metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(await readTensor(cursor));
  const alignment = alignmentOf(metadata);
  const dataStart = alignUp(cursor.offset, alignment);
  const placed = tensors.map((tensor) => ({ ...tensor, start: dataStart + tensor.start }));
  return { metadata, counts, tensors: placed, dataStart, alignment };
}

/** The format of llama.cpp. Metadata: the scalars and shorter texts. */
export const gguf: FileFormat = {
  name: 'gguf',
  parts: ggufParts,
  metadata: async (reader) => (await readGgufHeader(reader))?.metadata,
  tensors: ggufTensors,
};

/** Each tensor reaches to the start of the next one, so padding is included and the sizes of quantised types need not be known. */
async function ggufParts(reader: ByteReader): Promise<Part[] | undefined> {
  const header = await readGgufHeader(reader);
  if (header === undefined) return undefined;
  const tensors = [...header.tensors].sort((a, b) => a.start - b.start);
  return tensors.map(({ name, start }, i) => {
    const end = tensors[i + 1]?.start ?? reader.size;
    if (start === end && i + 1 < tensors.length) throw new StructureError('two tensors start at one place');
    return { start, end, block: blockOf(name) };
  });
}

async function ggufTensors(reader: ByteReader): Promise<FileTensor[] | undefined> {
  const header = await readGgufHeader(reader);
  if (header === undefined) return undefined;
  const starts = [...header.tensors.map(({ start }) => start), reader.size].sort((a, b) => a - b);
  const endAfter = new Map(starts.map((start, i) => [start, starts[i + 1] ?? reader.size]));
  return header.tensors.map(({ name, type, shape, start }) => {
    const items = shape.reduce((count, side) => count * side, 1);
    // What lies between the end of a tensor and the next one is padding.
    const room = Math.max(0, (endAfter.get(start) ?? start) - start);
    const bytes = Math.min(ggufBytes(type, items) ?? room, room);
    return { name, dtype: ggufTypeName(type), shape: [...shape].reverse(), start, bytes, layout: '' };
  });
}

/** A tensor as the header describes it; its offset counts from where the data starts. */
async function readTensor(cursor: Cursor): Promise<GgufTensor> {
  const name = await readText(cursor, MAX_NAME_BYTES);
  await cursor.fill(4);
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) throw new StructureError('too many dimensions');
  await cursor.fill(dimensions * 8 + 12);
  const shape = Array.from({ length: dimensions }, () => cursor.u32() + cursor.u32() * 2 ** 32);
  return { name, shape, type: cursor.u32(), start: cursor.u64() };
}

async function readText(cursor: Cursor, maxBytes: number): Promise<string> {
  await cursor.fill(8);
  const length = cursor.u64();
  if (length > maxBytes) throw new StructureError('a name is too long');
  await cursor.fill(length);
  return new TextDecoder().decode(cursor.take(length));
}

/** A number, boolean or short text; of an array, how many items it has; undefined for long texts, which are skipped. */
async function readValue(cursor: Cursor): Promise<Scalar | { readonly count: number } | undefined> {
  await cursor.fill(4);
  const type = cursor.u32();
  if (type === ARRAY) return { count: await skipArray(cursor) };
  if (type === TEXT) {
    await cursor.fill(8);
    const length = cursor.u64();
    if (length > MAX_KEPT_TEXT_BYTES) {
      cursor.skip(length);
      return undefined;
    }
    await cursor.fill(length);
    return new TextDecoder().decode(cursor.take(length));
  }
  await cursor.fill(fixedSize(type));
  return readFixed(cursor, type);
}

/** A number or boolean of a type that `fixedSize` knows. */
function readFixed(cursor: Cursor, type: number): number | boolean {
  if (type === 0) return cursor.u8();
  if (type === 1) return (cursor.u8() << 24) >> 24;
  if (type === 2) return cursor.u16();
  if (type === 3) return (cursor.u16() << 16) >> 16;
  if (type === 4) return cursor.u32();
  if (type === 5) return cursor.i32();
  if (type === 6) return cursor.f32();
  if (type === 7) return cursor.u8() !== 0;
  if (type === 12) return cursor.f64();
  const low = cursor.u32();
  return low + (type === 11 ? cursor.i32() : cursor.u32()) * 2 ** 32;
}

async function skipArray(cursor: Cursor): Promise<number> {
  await cursor.fill(12);
  const type = cursor.u32();
  const count = cursor.u64();
  if (type !== TEXT) {
    cursor.skip(count * fixedSize(type));
    return count;
  }
  for (let i = 0; i < count; i++) {
    if (cursor.lacks(8)) await cursor.fill(8);
    cursor.skip(cursor.u64());
  }
  return count;
}

function fixedSize(type: number): number {
  const size = VALUE_BYTES[type] ?? 0;
  if (size === 0) throw new StructureError('unknown value type');
  return size;
}

function alignmentOf(metadata: ReadonlyMap<string, Scalar>): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1) {
    throw new StructureError('the alignment is not a number');
  }
  return alignment;
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
