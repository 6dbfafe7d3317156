import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { mapInSteps, runAtOnce, type Steps, sortTexts } from './steps.ts';

/** A SHA-256 as 64 lower-case hex characters. */
export type Digest = string & { readonly __brand: 'Digest' };

export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hex characters')
  .transform((text) => text as Digest);

/** The first characters of a digest that name a model: its short id. */
export const ID_LENGTH = 8;
const DIGEST_LENGTH = 64;

export function isDigest(text: string): text is Digest {
  return text.length === DIGEST_LENGTH && isLowerHex(text);
}

/** A loop, since a model has hundreds of thousands of digests: it takes a third of a regular expression's time. */
export function isLowerHex(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isHex = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (!isHex) return false;
  }
  return true;
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
  return runAtOnce(sortedFiles(files)).map(lineOf).join('');
}

/** A model's identity: the SHA-256 of its canonical file list. A list whose digest was computed is remembered: do not change it. */
export function modelDigest(files: readonly DigestedFile[]): Digest {
  return runAtOnce(findModelDigest(files));
}

/** The same in steps. */
export function* findModelDigest(files: readonly DigestedFile[]): Steps<Digest> {
  const known = knownDigests.get(files);
  if (known !== undefined) return known;
  const sorted = yield* sortedFiles(files);
  const hash = sha256.create();
  for (let at = 0; at < sorted.length; at += FILES_A_STEP) {
    const lines = sorted.slice(at, at + FILES_A_STEP).map(lineOf);
    hash.update(utf8ToBytes(lines.join('')));
    yield;
  }
  const digest = bytesToHex(hash.digest()) as Digest;
  knownDigests.set(files, digest);
  return digest;
}

const knownDigests = new WeakMap<readonly DigestedFile[], Digest>();
/** How many lines are hashed between two yields. */
const FILES_A_STEP = 64;

function lineOf({ sha256: digest, size, path }: DigestedFile): string {
  return `${digest} ${size} ${path}\n`;
}

/** By the UTF-8 bytes of the paths. */
function* sortedFiles(files: readonly DigestedFile[]): Steps<DigestedFile[]> {
  const byKey = new Map<string, DigestedFile[]>();
  const add = (file: DigestedFile): string => {
    const key = sortKey(file.path);
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [file]);
    else same.push(file);
    return key;
  };
  const keys = new Set(yield* sortTexts(yield* mapInSteps(files, add)));
  const sorted: DigestedFile[] = [];
  for (const key of keys) {
    sorted.push(...(byKey.get(key) as DigestedFile[]));
    if (sorted.length % FILES_A_STEP === 0) yield;
  }
  return sorted;
}

const HIGH_UNITS = /[\ud800-\uffff]/g;

/** A text that sorts by its UTF-16 units as the path does by its UTF-8 bytes: surrogates go behind all other units. */
function sortKey(path: string): string {
  return path.replace(HIGH_UNITS, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
