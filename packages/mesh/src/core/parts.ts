import { type PackLimits, packValue, unpackValue } from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { MAX_PARTS, MAX_RECORD_BYTES, PART_BYTES_WANTED } from './limits.ts';
import { malformedRecord, parseWith, RECORD_LIMITS } from './record.ts';

/** A piece of a list that is too long for one record, named by its SHA-256 (64 hex characters). */
export interface Part {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

const PART_LIMITS: PackLimits = { ...RECORD_LIMITS, maxValues: 65_536 };

/** A part as it came: a list of entries. */
const partSchema = z.array(z.unknown());

/**
 * Spreads entries over 2^k parts by the first bits of their keys, so that a new entry changes one part alone. An empty list has
 * no parts.
 * @param keyOf an entry's key: at least 16 bits of it, in hex
 * @throws ModelRtcError `bad_argument` when an entry does not fit into a part
 */
export function spreadOverParts<T>(entries: readonly T[], keyOf: (entry: T) => string): Part[] {
  if (entries.length === 0) return [];
  const sorted = [...entries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (let count = 1; ; count *= 2) {
    const lists = Array.from({ length: count }, (): T[] => []);
    for (const entry of sorted) lists[partOf(keyOf(entry), count)]?.push(entry);
    const isLast = count * 2 > MAX_PARTS;
    // Counting entries first keeps thousands of them from being packed for nothing.
    if (!isLast && lists.some((list) => list.length > MAX_ENTRIES_A_PART)) continue;
    // Longer than a part may be: then it is split again.
    const limits = isLast ? PART_LIMITS : { ...PART_LIMITS, maxBytes: MAX_RECORD_BYTES * MAX_ENTRIES_A_PART };
    const packed = lists.map((list) => packValue(list, limits));
    if (!isLast && packed.some((bytes, i) => isTooLong(bytes, lists[i]?.length ?? 0))) continue;
    return packed.map((bytes) => ({ hash: partHash(bytes), bytes }));
  }
}

/** Small enough that packing them never takes long. */
const MAX_ENTRIES_A_PART = 256;

function isTooLong(bytes: Uint8Array, entries: number): boolean {
  return bytes.length > MAX_RECORD_BYTES || (bytes.length > PART_BYTES_WANTED && entries > 1);
}

/** Which of the parts an entry is in. @param count a power of two */
export function partOf(key: string, count: number): number {
  return Number.parseInt(key.slice(0, 4), 16) >> (16 - Math.log2(count));
}

export function partHash(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/**
 * The entries of a part that came with the right hash.
 * @param place its number and how many parts there are: entries that belong elsewhere would be counted twice
 * @throws ModelRtcError `malformed_message`
 */
export function readPart<T extends z.ZodType>(
  bytes: Uint8Array,
  place: { readonly index: number; readonly count: number },
  { entry, keyOf }: { readonly entry: T; readonly keyOf: (entry: z.output<T>) => string },
): z.output<T>[] {
  const values = parseWith(partSchema, unpackValue(bytes, PART_LIMITS), 'part');
  const seen = new Set<string>();
  return values.map((value) => {
    const parsed = parseWith(entry, value, 'entry of a part');
    const key = keyOf(parsed);
    if (partOf(key, place.count) !== place.index || seen.has(key))
      throw malformedRecord('an entry is in the wrong part');
    seen.add(key);
    return parsed;
  });
}

/** How many parts a head may name. */
export function isPartCount(count: number): boolean {
  return count === 0 || (count <= MAX_PARTS && Number.isInteger(Math.log2(count)));
}
