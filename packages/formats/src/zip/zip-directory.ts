import { sliceReader } from '../bytes/byte-readers.ts';
import { Cursor } from '../bytes/cursor.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { MAX_NAME_BYTES, MAX_STRUCTURE_ENTRIES, MAX_ZIP_DIRECTORY_BYTES } from '../limits.ts';
import type { ByteReader } from '../types.ts';

/** The first bytes of a zip archive whose first entry is at its start. */
export const ZIP_HEAD = [0x50, 0x4b, 0x03, 0x04];

const LOCAL_HEADER = 0x0403_4b50;
const DIRECTORY_ENTRY = 0x0201_4b50;
const DIRECTORY_END = 0x0605_4b50;
const DIRECTORY_END_64 = 0x0606_4b50;
const LOCATOR_64 = 0x0706_4b50;
const DIRECTORY_END_BYTES = 22;
const LOCATOR_64_BYTES = 20;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
/** In a 32-bit field this value means: see the zip64 extra field. */
const ELSEWHERE = 0xffff_ffff;

export interface ZipEntry {
  readonly name: string;
  /** Whether its bytes are in the archive uncompressed. */
  readonly stored: boolean;
  /** Bytes in the archive, without the entry's header. */
  readonly size: number;
  readonly headerStart: number;
}

export interface ZipDirectory {
  /** Sorted by position. */
  readonly entries: readonly ZipEntry[];
  readonly directoryStart: number;
}

/**
 * The directory of a zip archive (zip64 too) whose first entry is at the file's start; undefined for any other file.
 * Source: APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
 * @throws StructureError when the directory is missing or broken.
 */
export async function readZipDirectory(reader: ByteReader): Promise<ZipDirectory | undefined> {
  if (reader.size < LOCAL_HEADER_BYTES + DIRECTORY_END_BYTES) return undefined;
  const head = await reader.read(0, 4);
  if (new DataView(head.buffer, head.byteOffset).getUint32(0, true) !== LOCAL_HEADER) return undefined;
  const { start, size, count } = await findDirectory(reader);
  if (count > MAX_STRUCTURE_ENTRIES || size > MAX_ZIP_DIRECTORY_BYTES || start + size > reader.size)
    throw new StructureError('the directory is too large');
  const cursor = new Cursor(reader, start, start + size);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) entries.push(await readEntry(cursor));
  entries.sort((a, b) => a.headerStart - b.headerStart);
  return { entries, directoryStart: start };
}

/** Where the bytes of an entry start. Only the entry's own header says so. */
export async function entryDataStart(reader: ByteReader, entry: ZipEntry): Promise<number> {
  const cursor = new Cursor(reader, entry.headerStart, entry.headerStart + LOCAL_HEADER_BYTES);
  await cursor.fill(LOCAL_HEADER_BYTES);
  if (cursor.u32() !== LOCAL_HEADER) throw new StructureError('an entry has no header');
  cursor.skip(22);
  return entry.headerStart + LOCAL_HEADER_BYTES + cursor.u16() + cursor.u16();
}

/**
 * The bytes of an entry as they are in the archive; undefined when the directory says that they go past its end.
 * @throws StructureError when the entry has no header.
 */
export async function openEntry(reader: ByteReader, entry: ZipEntry): Promise<ByteReader | undefined> {
  const start = await entryDataStart(reader, entry);
  return start + entry.size <= reader.size ? sliceReader(reader, start, entry.size) : undefined;
}

/**
 * Whether two entries share bytes of the archive. No tool writes such archives, and a small one can stand for any number of
 * large files.
 */
export function hasOverlaps({ entries, directoryStart }: ZipDirectory): boolean {
  return entries.some(({ headerStart, size }, i) => {
    const end = entries[i + 1]?.headerStart ?? directoryStart;
    return !(headerStart + LOCAL_HEADER_BYTES + size <= end);
  });
}

interface DirectoryPlace {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

async function findDirectory(reader: ByteReader): Promise<DirectoryPlace> {
  const tailBytes = Math.min(reader.size, DIRECTORY_END_BYTES + MAX_COMMENT_BYTES + LOCATOR_64_BYTES);
  const tailStart = reader.size - tailBytes;
  const tail = await reader.read(tailStart, tailBytes);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tailBytes - DIRECTORY_END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== DIRECTORY_END) continue;
    if (view.getUint16(at + 20, true) !== tailBytes - at - DIRECTORY_END_BYTES) continue;
    const locatorAt = at - LOCATOR_64_BYTES;
    if (locatorAt >= 0 && view.getUint32(locatorAt, true) === LOCATOR_64) {
      return readDirectoryEnd64(reader, locatorAt + tailStart);
    }
    return {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      start: view.getUint32(at + 16, true),
    };
  }
  throw new EndsEarlyError('no directory');
}

async function readDirectoryEnd64(reader: ByteReader, locatorStart: number): Promise<DirectoryPlace> {
  const locator = new Cursor(reader, locatorStart, reader.size);
  await locator.fill(LOCATOR_64_BYTES);
  locator.skip(8);
  const cursor = new Cursor(reader, locator.u64(), reader.size);
  await cursor.fill(56);
  if (cursor.u32() !== DIRECTORY_END_64) throw new StructureError('no zip64 directory');
  cursor.skip(28);
  const count = cursor.u64();
  const size = cursor.u64();
  return { count, size, start: cursor.u64() };
}

async function readEntry(cursor: Cursor): Promise<ZipEntry> {
  await cursor.fill(46);
  if (cursor.u32() !== DIRECTORY_ENTRY) throw new StructureError('not a directory entry');
  cursor.skip(6);
  const stored = cursor.u16() === 0;
  cursor.skip(8);
  const size = cursor.u32();
  const wholeSize = cursor.u32();
  const nameBytes = cursor.u16();
  const extraBytes = cursor.u16();
  const commentBytes = cursor.u16();
  cursor.skip(8);
  const headerStart = cursor.u32();
  if (nameBytes > MAX_NAME_BYTES) throw new StructureError('a name is too long');
  await cursor.fill(nameBytes + extraBytes);
  const name = new TextDecoder().decode(cursor.take(nameBytes));
  const extra = cursor.take(extraBytes);
  const fields = zip64Fields(extra, [wholeSize, size, headerStart]);
  cursor.skip(commentBytes);
  return { name, stored, size: fields[1], headerStart: fields[2] };
}

/** The extra field holds the 64-bit values of the fields that say `ELSEWHERE`, in this order. */
function zip64Fields(extra: Uint8Array, fields: [number, number, number]): [number, number, number] {
  if (!fields.includes(ELSEWHERE)) return fields;
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const end = Math.min(extra.length, at + 4 + view.getUint16(at + 2, true));
    let next = at + 4;
    return fields.map((field) => {
      if (field !== ELSEWHERE) return field;
      if (next + 8 > end) throw new StructureError('a zip64 field is cut');
      const value = view.getUint32(next, true) + view.getUint32(next + 4, true) * 2 ** 32;
      next += 8;
      return value;
    }) as [number, number, number];
  }
  return fields;
}
