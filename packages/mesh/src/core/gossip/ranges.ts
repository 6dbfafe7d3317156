import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Beat } from '../beats/beat.ts';
import type { RecordStore, RecordSummary } from './types.ts';

/** Names fall into so many ranges, by the first byte of the key that they hold. */
const RANGES = 256;
const HASH_BYTES = 8;

/** The range of a record's name: the first two hex characters behind its `/`; 0 for a name without. */
function rangeOf(name: string): number {
  const at = name.indexOf('/') + 1;
  const range = Number.parseInt(name.slice(at, at + 2), 16);
  return at > 0 && range >= 0 ? range : 0;
}

/** @param ranges only what falls into these; all when left out */
export function summaryOf(store: Pick<RecordStore, 'summary'>, ranges: readonly number[] | undefined): RecordSummary[] {
  const all = [...store.summary()];
  if (ranges === undefined) return all;
  const wanted = new Set(ranges);
  return all.filter(({ name }) => wanted.has(rangeOf(name)));
}

/**
 * For each range the first 8 bytes of the SHA-256 of its lines `NAME ORDER\n`, or `NAME ORDER BEAT\n` for heads with beats, sorted by name;
 * zeros for an empty one.
 * @param beatsUntil leaves out beats of later than this, in milliseconds since 1970
 */
export function rangeHashes(store: Pick<RecordStore, 'summary'>, beatsUntil?: number): Uint8Array {
  const lines = Array.from({ length: RANGES }, (): string[] => []);
  for (const { name, order, beat } of store.summary(beatsUntil))
    lines[rangeOf(name)]?.push(`${name} ${order}${beat === undefined ? '' : ` ${beat}`}\n`);
  const hashes = new Uint8Array(RANGES * HASH_BYTES);
  lines.forEach((list, range) => {
    if (list.length === 0) return;
    hashes.set(sha256(utf8ToBytes(list.sort().join(''))).subarray(0, HASH_BYTES), range * HASH_BYTES);
  });
  return hashes;
}

/** By which a node's beats go: the first 16 characters of the key in a record's name. */
export function hintIn(name: string): string {
  return name.slice(name.indexOf('/') + 1).slice(0, 16);
}

/** The newest beat of each of these nodes, or the anchor of its head, which tells others that there is one. */
export function marksOf(store: Pick<RecordStore, 'beatOf'>, hints: readonly string[]): Beat[] {
  return [...new Set(hints)].flatMap((hint) => store.beatOf(hint) ?? []);
}

/** The newest beat of each of these nodes, for those who have its head. */
export function beatsOf(store: Pick<RecordStore, 'beatOf'>, hints: readonly string[]): Beat[] {
  return marksOf(store, hints).filter(({ index }) => index > 0);
}

export function recordsOf(store: Pick<RecordStore, 'bytesOf'>, names: readonly string[]): Uint8Array[] {
  return names.flatMap((name) => store.bytesOf(name) ?? []);
}

/** The ranges whose hashes are not the same. */
export function differing(a: Uint8Array, b: Uint8Array): number[] {
  const isSame = (range: number): boolean => {
    for (let at = range * HASH_BYTES; at < (range + 1) * HASH_BYTES; at++) if (a[at] !== b[at]) return false;
    return true;
  };
  return Array.from({ length: RANGES }, (_, range) => range).filter((range) => !isSame(range));
}

/** Whether it is newer than what the other side knows of that name. */
export function isNewer({ order, beat = 0 }: RecordSummary, known: RecordSummary | undefined): boolean {
  if (known === undefined || order > known.order) return true;
  return order === known.order && beat > (known.beat ?? 0);
}
