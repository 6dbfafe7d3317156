import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { MAX_HINTS } from '../limits.ts';

/** What a node measured of another one, as coarse as its catalog tells it. */
export interface ReliabilityHint {
  /** The first 16 hex characters of the other's key. */
  readonly node: string;
  /** 0 to 1, in quarters. */
  readonly reliability: number;
}

const KEY_BYTES = 8;
const HINT_BYTES = KEY_BYTES + 1;
/** Reliability is told in quarters: finer steps would change catalogs with every transfer. */
export const HINT_STEPS = 4;

/** The beginning of a node's key by which hints name it. */
export function hintKey(key: string): string {
  return key.slice(0, 2 * KEY_BYTES);
}

/** 9 bytes each, sorted by node, so that an order that changes is no news. */
export function packHints(hints: readonly ReliabilityHint[]): Uint8Array {
  const sorted = [...hints].sort((a, b) => (a.node < b.node ? -1 : 1)).slice(0, MAX_HINTS);
  const bytes = new Uint8Array(sorted.length * HINT_BYTES);
  for (const [i, { node, reliability }] of sorted.entries()) {
    bytes.set(hexToBytes(hintKey(node)), i * HINT_BYTES);
    bytes[i * HINT_BYTES + KEY_BYTES] = Math.round(Math.min(1, Math.max(0, reliability)) * HINT_STEPS);
  }
  return bytes;
}

/** Each node once, so that a list cannot count more than once. */
export const hintsSchema = z
  .instanceof(Uint8Array)
  .refine(({ length }) => length <= MAX_HINTS * HINT_BYTES && length % HINT_BYTES === 0, 'hints have 9 bytes each')
  .transform(readHints)
  .refine((hints) => hints.every(({ reliability }) => reliability <= 1), 'a hint is 0 to 4 quarters')
  .refine((hints) => new Set(hints.map(({ node }) => node)).size === hints.length, 'a node has one hint');

function readHints(bytes: Uint8Array): readonly ReliabilityHint[] {
  return Array.from({ length: bytes.length / HINT_BYTES }, (_, i) => {
    const at = i * HINT_BYTES;
    const steps = bytes[at + KEY_BYTES] as number;
    return { node: bytesToHex(bytes.subarray(at, at + KEY_BYTES)), reliability: steps / HINT_STEPS };
  });
}
