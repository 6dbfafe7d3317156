import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';

/** A SHA-256 as 64 lower-case hex characters. */
export type Digest = string & { readonly __brand: 'Digest' };

export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hex characters')
  .transform((text) => text as Digest);

/** The first characters of a digest that name a model: its short id. */
export const ID_LENGTH = 8;

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

export function sha256Digest(bytes: Uint8Array): Digest {
  return bytesToHex(sha256(bytes)) as Digest;
}

/** The input of a model's digest: only content and names. */
export interface DigestedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

/**
 * The text whose SHA-256 is a model's digest: one line `<sha256> <size> <path>\n` a file, sorted by the bytes of the path.
 */
export function canonicalFileList(files: readonly DigestedFile[]): string {
  const keyed = files.map((file) => ({ file, key: utf8ToBytes(file.path) }));
  keyed.sort((a, b) => compareBytes(a.key, b.key));
  return keyed.map(({ file }) => `${file.sha256} ${file.size} ${file.path}\n`).join('');
}

/** A model's identity: the SHA-256 of its canonical file list. */
export function modelDigest(files: readonly DigestedFile[]): Digest {
  return sha256Digest(utf8ToBytes(canonicalFileList(files)));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
