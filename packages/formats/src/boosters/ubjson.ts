import { Cursor } from '../bytes/cursor.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { MAX_NAME_BYTES } from '../limits.ts';
import type { ByteReader } from '../types.ts';

/** The most values that are read one by one. The numbers of a model are in typed arrays, and each array counts as one. */
const MAX_VALUES = 4_000_000;
const MAX_DEPTH = 64;
/** Bytes of a value by its type, `-1` for one whose length is written before it. */
const SIZES: Readonly<Record<string, number>> = {
  ...{ Z: 0, N: 0, T: 0, F: 0, i: 1, U: 1, C: 1, I: 2, l: 4, L: 8, d: 4, D: 8, S: -1, H: -1 },
};
const LENGTH_TYPES = new Set(['i', 'U', 'I', 'l', 'L']);

interface Open {
  readonly isObject: boolean;
  /** Values that are still to come, where their number is written before them. */
  left: number | undefined;
  /** The type of all values, where it is written before them. */
  readonly type: string | undefined;
}

/** What a text in a universal binary JSON says, by the keys that lead to it, joined with dots. */
export type UbjsonTexts = ReadonlyMap<string, string>;

/**
 * Walks universal binary JSON (big-endian) to its end and keeps the texts of the keys that are wanted. Source: ubjson.org (draft 12).
 * @param wanted - keys joined with dots, such as `learner.objective.name`
 * @throws EndsEarlyError when it is cut off, StructureError when it is none or goes beyond limits
 */
export async function walkUbjson(reader: ByteReader, wanted: ReadonlySet<string>): Promise<UbjsonTexts> {
  const cursor = new Cursor(reader, 0);
  const found = new Map<string, string>();
  const open: Open[] = [];
  const keys: string[] = [];
  let values = 0;
  do {
    if (++values > MAX_VALUES) throw new StructureError('it holds too many values');
    if (cursor.lacks(16)) await cursor.fill(16);
    const top = open.at(-1);
    if (top !== undefined && isAtEnd(cursor, top)) {
      open.pop();
      keys.pop();
      continue;
    }
    if (top?.isObject === true) keys[open.length - 1] = await readKey(cursor);
    if (cursor.lacks(16)) await cursor.fill(16);
    const type = top?.type ?? nextType(cursor);
    if (type === '{' || type === '[') {
      if (open.length >= MAX_DEPTH) throw new StructureError('it is nested too deeply');
      open.push(await openContainer(cursor, type === '{'));
      keys.push('');
    } else await readValue(cursor, type, keys, wanted, found);
  } while (open.length > 0);
  if (cursor.left > 0) throw new StructureError('more bytes follow its end');
  return found;
}

/** Takes what ends a list or an object, or counts one more of its values. */
function isAtEnd(cursor: Cursor, top: Open): boolean {
  if (top.left !== undefined) return top.left-- === 0;
  if (peek(cursor) !== (top.isObject ? '}' : ']')) return false;
  nextType(cursor);
  return true;
}

async function openContainer(cursor: Cursor, isObject: boolean): Promise<Open> {
  let type: string | undefined;
  if (peek(cursor) === '$') {
    nextType(cursor);
    type = nextType(cursor);
  }
  if (peek(cursor) !== '#') {
    if (type !== undefined) throw new StructureError('a list has a type and no length');
    return { isObject, left: undefined, type };
  }
  nextType(cursor);
  if (cursor.lacks(16)) await cursor.fill(16);
  const count = readLength(cursor);
  const bytes = type === undefined ? undefined : SIZES[type];
  if (isObject || bytes === undefined || bytes < 0) return { isObject, left: count, type };
  skip(cursor, count * bytes);
  return { isObject, left: 0, type };
}

async function readKey(cursor: Cursor): Promise<string> {
  const length = readLength(cursor);
  if (length > MAX_NAME_BYTES) throw new StructureError('a key is too long');
  return await readText(cursor, length);
}

async function readValue(
  cursor: Cursor,
  type: string,
  keys: readonly string[],
  wanted: ReadonlySet<string>,
  found: Map<string, string>,
): Promise<void> {
  const bytes = SIZES[type];
  if (bytes === undefined) throw new StructureError('a value is of no type');
  if (bytes >= 0) {
    skip(cursor, bytes);
    return;
  }
  const length = readLength(cursor);
  const path = keys.join('.');
  if (wanted.has(path) && length <= MAX_NAME_BYTES) found.set(path, await readText(cursor, length));
  else skip(cursor, length);
}

async function readText(cursor: Cursor, length: number): Promise<string> {
  if (length > cursor.left) throw new EndsEarlyError('it ends too early');
  await cursor.fill(length);
  return new TextDecoder().decode(cursor.take(length));
}

function readLength(cursor: Cursor): number {
  const type = nextType(cursor);
  if (!LENGTH_TYPES.has(type)) throw new StructureError('a length is of no type');
  const bytes = SIZES[type] as number;
  let length = 0;
  for (let i = 0; i < bytes; i++) length = length * 256 + cursor.u8();
  if (!Number.isSafeInteger(length)) throw new StructureError('a length is larger than any file');
  return length;
}

function skip(cursor: Cursor, bytes: number): void {
  if (!(bytes <= cursor.left)) throw new EndsEarlyError('it ends too early');
  cursor.skip(bytes);
}

function nextType(cursor: Cursor): string {
  return String.fromCharCode(cursor.u8());
}

function peek(cursor: Cursor): string {
  return cursor.lacks(1) ? '' : String.fromCharCode(cursor.peek());
}
