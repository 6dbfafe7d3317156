import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { malformedRecord } from '../record.ts';
import { BEAT_VALUE_BYTES } from './chain.ts';

/** A sign of life: the value of a chain that only its node could know until now. */
export interface Beat {
  /** The first 8 bytes of the node's key: 16 hex characters. */
  readonly hint: string;
  /** Of the head that the chain belongs to. */
  readonly sequence: number;
  /** How many values were revealed before it, the anchor included. */
  readonly index: number;
  readonly value: Uint8Array;
}

const HINT_BYTES = 8;
const HINT_CHARS = 2 * HINT_BYTES;
/** 8 for the hint, 8 for the sequence, 2 for the index. */
export const BEAT_BYTES = HINT_BYTES + 8 + 2 + BEAT_VALUE_BYTES;

/** @param key 64 hex characters. @returns 16 hex characters */
export function hintOf(key: string): string {
  return key.slice(0, HINT_CHARS);
}

/** Beats as they travel: 34 bytes each, one after the other. */
export function packBeats(beats: readonly Beat[]): Uint8Array {
  const bytes = new Uint8Array(beats.length * BEAT_BYTES);
  const view = new DataView(bytes.buffer);
  beats.forEach(({ hint, sequence, index, value }, i) => {
    const at = i * BEAT_BYTES;
    bytes.set(hexToBytes(hint), at);
    view.setBigUint64(at + HINT_BYTES, BigInt(sequence));
    view.setUint16(at + HINT_BYTES + 8, index);
    bytes.set(value, at + HINT_BYTES + 10);
  });
  return bytes;
}

/** @throws ModelRtcError `malformed_message` */
export function unpackBeats(bytes: Uint8Array): Beat[] {
  if (bytes.length % BEAT_BYTES !== 0) throw malformedRecord(`beats have ${BEAT_BYTES} bytes each`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / BEAT_BYTES }, (_, i): Beat => {
    const at = i * BEAT_BYTES;
    return {
      hint: bytesToHex(bytes.subarray(at, at + HINT_BYTES)),
      sequence: Number(view.getBigUint64(at + HINT_BYTES)),
      index: view.getUint16(at + HINT_BYTES + 8),
      value: bytes.slice(at + HINT_BYTES + 10, at + BEAT_BYTES),
    };
  });
}

/** Nodes' keys by their first 8 bytes, as they travel. */
export function packHints(keys: readonly string[]): Uint8Array {
  return hexToBytes(keys.map(hintOf).join(''));
}

export function unpackHints(bytes: Uint8Array): string[] {
  const hex = bytesToHex(bytes);
  return Array.from({ length: Math.floor(hex.length / HINT_CHARS) }, (_, i) =>
    hex.slice(i * HINT_CHARS, (i + 1) * HINT_CHARS),
  );
}
