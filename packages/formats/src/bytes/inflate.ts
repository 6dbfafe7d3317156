import { MAX_INFLATED_BYTES } from '../limits.ts';
import type { ByteReader, Inflate, Inflated, ReadBudget } from '../types.ts';
import { readHead, startsWith } from './byte-readers.ts';

/** `raw` is deflate without a header, as zip archives have it. */
export type Compression = 'gzip' | 'zlib' | 'raw';

/** The zlib and gzip streams that joblib and numpy write. */
const COMPRESSED_HEADS: readonly (readonly [head: readonly number[], compression: Compression])[] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0x78, 0x01], 'zlib'],
  [[0x78, 0x5e], 'zlib'],
  [[0x78, 0x9c], 'zlib'],
  [[0x78, 0xda], 'zlib'],
];

/** How a file is compressed, by its first two bytes: raw numbers can begin like zlib too. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  return COMPRESSED_HEADS.find(([magic]) => startsWith(head, magic))?.[1];
}

/** What unpacking takes. */
export interface InflateJob {
  readonly inflate: Inflate;
  readonly budget: ReadBudget;
}

/** The content of this many bytes is at most a thousand times as long. */
const HEAD_BYTES = 16 * 1024;
/** The beginning of the content that tells what it is. */
const MAX_HEAD_CONTENT_BYTES = 256 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b, 0x08];
const GZIP_FIXED_BYTES = 10;
const GZIP_CHECKSUM_BYTES = 8;
/** Members of one gzip file. Each is unpacked from the bytes that are left, so many of them take long. */
const MAX_GZIP_MEMBERS = 64;

/** The content of a compressed file, as far as it can be unpacked. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly outcome: Inflated['outcome'];
}

/**
 * The whole content. Checksums are not verified and what follows the end is ignored: whoever loads the file has run what is in
 * it by then.
 * @throws OverBudgetError
 */
export async function inflateAll(reader: ByteReader, compression: Compression, job: InflateJob): Promise<Content> {
  if (reader.size > MAX_INFLATED_BYTES) return { bytes: new Uint8Array(0), outcome: 'too_long' };
  return await inflateBytes(await reader.read(0, reader.size), compression, job, MAX_INFLATED_BYTES);
}

/** The beginning of the content, as far as the first bytes tell it. @throws OverBudgetError */
export async function inflateHead(reader: ByteReader, compression: Compression, job: InflateJob): Promise<Content> {
  return await inflateBytes(await readHead(reader, HEAD_BYTES), compression, job, MAX_HEAD_CONTENT_BYTES);
}

async function inflateBytes(
  bytes: Uint8Array,
  compression: Compression,
  job: InflateJob,
  maxBytes: number,
): Promise<Content> {
  if (compression === 'gzip') return await inflateMembers(bytes, job, maxBytes);
  const start = compression === 'zlib' ? zlibHeaderBytes(bytes) : 0;
  return start === undefined ? DAMAGED : await inflateRaw(bytes.subarray(start), job, maxBytes);
}

const DAMAGED: Content = { bytes: new Uint8Array(0), outcome: 'damaged' };

async function inflateRaw(bytes: Uint8Array, { inflate, budget }: InflateJob, maxBytes: number): Promise<Inflated> {
  const granted = Math.min(maxBytes, budget.bytesLeft);
  const inflated = await inflate(bytes, granted);
  // The budget, and not the length of this content, was what ended it.
  const isOver = inflated.outcome === 'too_long' && granted < maxBytes;
  budget.spend('bytes', isOver ? granted + 1 : inflated.bytes.length);
  return inflated;
}

/** A gzip file is one or more members; their contents belong together. Source: RFC 1952. */
async function inflateMembers(bytes: Uint8Array, job: InflateJob, maxBytes: number): Promise<Content> {
  const parts: Uint8Array[] = [];
  let total = 0;
  let rest = bytes;
  for (let member = 0; startsWith(rest, GZIP_MAGIC); member++) {
    const header = gzipHeaderBytes(rest);
    if (member === MAX_GZIP_MEMBERS) return { bytes: joined(parts, total), outcome: 'too_long' };
    if (header === undefined) return { bytes: joined(parts, total), outcome: 'damaged' };
    const part = await inflateRaw(rest.subarray(header), job, maxBytes - total);
    parts.push(part.bytes);
    total += part.bytes.length;
    if (part.outcome !== 'whole') return { bytes: joined(parts, total), outcome: part.outcome };
    rest = rest.subarray(header + part.used + GZIP_CHECKSUM_BYTES);
  }
  return { bytes: joined(parts, total), outcome: parts.length === 0 ? 'damaged' : 'whole' };
}

function joined(parts: readonly Uint8Array[], total: number): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** How long the header of a gzip member is; undefined when the bytes end before it does. */
function gzipHeaderBytes(bytes: Uint8Array): number | undefined {
  const flags = bytes[3] ?? 0;
  let at: number | undefined = GZIP_FIXED_BYTES;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const flag of [8, 16]) if ((flags & flag) !== 0 && at !== undefined) at = afterZero(bytes, at);
  if (at === undefined) return undefined;
  if ((flags & 2) !== 0) at += 2;
  return at <= bytes.length ? at : undefined;
}

function afterZero(bytes: Uint8Array, start: number): number | undefined {
  const zero = bytes.indexOf(0, start);
  return zero === -1 ? undefined : zero + 1;
}

/** Source: RFC 1950. */
function zlibHeaderBytes(bytes: Uint8Array): number | undefined {
  const [method = 0, flags = 0] = bytes;
  const needsDictionary = (flags & 0x20) !== 0;
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0 && !needsDictionary ? 2 : undefined;
}
