import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { fromBase64Url, toBase64Url } from './base64url.ts';

const CHECKSUM_BYTES = 4;

/** Bytes that people copy as a text, with a checksum that shows a typing error. */
export interface CheckedText {
  /** What every such text starts with. */
  readonly prefix: string;
  /** Keeps a text of one kind from being taken for another. */
  readonly domain: string;
}

export function encodeChecked({ prefix, domain }: CheckedText, body: Uint8Array): string {
  return prefix + toBase64Url(concatBytes(body, checksum(domain, body)));
}

/** The bytes of a text that starts with its prefix; undefined when it is mistyped or cut off. */
export function decodeChecked({ prefix, domain }: CheckedText, text: string): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64Url(text.slice(prefix.length));
  } catch {
    return undefined;
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const wanted = checksum(domain, body);
  const given = bytes.subarray(body.length);
  return given.length === CHECKSUM_BYTES && given.every((byte, i) => byte === wanted[i]) ? body : undefined;
}

function checksum(domain: string, body: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8ToBytes(domain), body)).subarray(0, CHECKSUM_BYTES);
}
