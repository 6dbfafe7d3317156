import { parseBoundedJson } from '../bytes/bounded-json.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { blockOf } from '../chunks/cut-parts.ts';
import {
  MAX_HEADER_CONTAINERS,
  MAX_HEADER_NESTING,
  MAX_SAFETENSORS_HEADER_BYTES,
  MAX_STRUCTURE_ENTRIES,
} from '../limits.ts';
import type { ByteReader, FileFormat } from '../types.ts';

/** The file starts with the header's length, in 8 bytes. */
export const SAFETENSORS_LENGTH_BYTES = 8;

/** A tensor and where it is in its file. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** As in the header, such as `BF16`; empty when the header has none. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What a safetensors file says of itself. Source: https://huggingface.co/docs/safetensors (format). */
export interface SafetensorsHeader {
  readonly tensors: readonly SafetensorsTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The header of a safetensors file; undefined when the file does not look like one.
 * @throws StructureError when the header is broken.
 */
export async function readSafetensorsHeader(reader: ByteReader): Promise<SafetensorsHeader | undefined> {
  const found = await readHeader(reader);
  if (found === undefined) return undefined;
  const { header, names, dataStart } = found;
  return {
    tensors: names.map((name) => toTensor(name, header[name], dataStart, reader.size)),
    metadata: textEntries(header.__metadata__),
  };
}

/**
 * Where the last tensor of a safetensors file ends by its header, which may be behind the end of a file that was cut off;
 * undefined when the file does not look like one.
 * @throws StructureError when the header is broken.
 */
export async function readSafetensorsEnd(reader: ByteReader): Promise<number | undefined> {
  const found = await readHeader(reader);
  if (found === undefined) return undefined;
  const { header, names, dataStart } = found;
  const ends = names.map((name) => toTensor(name, header[name], dataStart, Number.MAX_SAFE_INTEGER).end);
  return ends.reduce((last, end) => Math.max(last, end), dataStart);
}

interface FoundHeader {
  readonly header: Record<string, unknown>;
  /** Of the tensors. */
  readonly names: readonly string[];
  readonly dataStart: number;
}

async function readHeader(reader: ByteReader): Promise<FoundHeader | undefined> {
  if (reader.size < SAFETENSORS_LENGTH_BYTES + 2) return undefined;
  const start = await reader.read(0, SAFETENSORS_LENGTH_BYTES + 1);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = view.getUint32(0, true);
  const looksRight = view.getUint32(4, true) === 0 && view.getUint8(SAFETENSORS_LENGTH_BYTES) === 0x7b;
  if (!looksRight || length < 2 || length > reader.size - SAFETENSORS_LENGTH_BYTES) return undefined;
  if (length > MAX_SAFETENSORS_HEADER_BYTES) throw new StructureError('the header is too long');
  const header = parseHeader(await reader.read(SAFETENSORS_LENGTH_BYTES, length));
  const names = Object.keys(header);
  if (names.length > MAX_STRUCTURE_ENTRIES) throw new StructureError('too many tensors');
  return {
    header,
    names: names.filter((name) => name !== '__metadata__'),
    dataStart: SAFETENSORS_LENGTH_BYTES + length,
  };
}

/** The metadata is the header's `__metadata__`. */
export const safetensors: FileFormat = {
  name: 'safetensors',
  async parts(reader) {
    const header = await readSafetensorsHeader(reader);
    return header?.tensors.map(({ name, start, end }) => ({ start, end, block: blockOf(name) }));
  },
  async metadata(reader) {
    const header = await readSafetensorsHeader(reader);
    return header && new Map(Object.entries(header.metadata));
  },
  async tensors(reader) {
    const header = await readSafetensorsHeader(reader);
    return header?.tensors.map(({ name, dtype, shape, start, end }) => {
      return { name, dtype, shape, start, bytes: end - start, layout: '' };
    });
  },
};

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const header = parseBoundedJson(bytes, { maxNesting: MAX_HEADER_NESTING, maxContainers: MAX_HEADER_CONTAINERS });
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new StructureError('the header is not an object');
  }
  return header as Record<string, unknown>;
}

function toTensor(name: string, entry: unknown, dataStart: number, size: number): SafetensorsTensor {
  const { data_offsets, dtype, shape } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
    string,
    unknown
  >;
  const [from, to] = Array.isArray(data_offsets) && data_offsets.length === 2 ? (data_offsets as unknown[]) : [];
  if (!isOffset(from) || !isOffset(to) || to < from || to > size - dataStart) {
    throw new StructureError('a tensor is out of range');
  }
  return {
    name,
    start: dataStart + from,
    end: dataStart + to,
    dtype: typeof dtype === 'string' ? dtype : '',
    shape: Array.isArray(shape) ? (shape as unknown[]).filter(isOffset) : [],
  };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textEntries(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
