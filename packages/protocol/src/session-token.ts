import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { type CheckedText, decodeChecked, encodeChecked } from './checked-text.ts';
import { ModelRtcError } from './errors.ts';
import { MAX_TOKEN_CHARS, MAX_TOKEN_URLS, MAX_URL_CHARS } from './limits.ts';

/** What a session token allows. */
export const SCOPES = ['read', 'write', 'track'] as const;
export type Scope = (typeof SCOPES)[number];
export const scopeSchema = z.enum(SCOPES);

/** What the owner of a worker gives to others, so that they can reach it. */
export interface SessionToken {
  /** Where the worker waits: `ws://` or `wss://`, 1 to 16 of them. */
  readonly urls: readonly string[];
  /** The worker's Ed25519 public key, 32 bytes. */
  readonly workerKey: Uint8Array;
  /** Identifies the token at the worker, 8 bytes. */
  readonly keyId: Uint8Array;
  /** 16 random bytes that only the token's holders and the worker know. */
  readonly secret: Uint8Array;
  readonly scopes: readonly Scope[];
  /** To the second. */
  readonly expiresAt: Date | undefined;
  /** What the worker can do before hello; missing from versions before 1.2. */
  readonly features?: readonly TokenFeature[] | undefined;
}

/** `ask`: it takes `direct_ask` and `relay_ask` in the sealed exchange. A later feature is the next bit. */
export const TOKEN_FEATURES = ['ask'] as const;
export type TokenFeature = (typeof TOKEN_FEATURES)[number];

const TEXT: CheckedText = { prefix: 'mrtc1_', domain: 'model-rtc/1/token\0' };
/** Scopes (1 byte), expiry (6), worker key (32), key id (8), secret (16), count of URLs (1). */
const FIXED_BYTES = 64;
/** The last second that a Date can hold. */
const MAX_SECONDS = 8_640_000_000_000;

/** The token as a string that can be pasted anywhere. @throws ModelRtcError `bad_argument` when a field is not valid. */
export function encodeSessionToken(token: SessionToken): string {
  checkToken(token);
  const head = new Uint8Array(FIXED_BYTES);
  const view = new DataView(head.buffer);
  head[0] = flagsOf(token.scopes, SCOPES);
  const seconds = token.expiresAt === undefined ? 0 : Math.floor(token.expiresAt.getTime() / 1000);
  view.setUint16(1, Math.floor(seconds / 2 ** 32));
  view.setUint32(3, seconds % 2 ** 32);
  head.set(token.workerKey, 7);
  head.set(token.keyId, 39);
  head.set(token.secret, 47);
  head[63] = token.urls.length;
  const urls = token.urls.map((url) =>
    concatBytes(Uint8Array.of(url.length >> 8, url.length & 0xff), utf8ToBytes(url)),
  );
  const features = flagsOf(token.features ?? [], TOKEN_FEATURES);
  const body = concatBytes(head, ...urls, Uint8Array.from(features === 0 ? [] : [features]));
  const text = encodeChecked(TEXT, body);
  if (text.length > MAX_TOKEN_CHARS) throw notAToken('its signaling addresses are too long; use fewer');
  return text;
}

/**
 * Parses a token that was typed or pasted, ignoring white space, quotes and a byte order mark around it.
 * @throws ModelRtcError `bad_argument` that says what to do, and never repeats the text: it may be a secret.
 */
export function parseSessionToken(text: string): SessionToken {
  const trimmed = pastedText(text);
  checkPrefix(trimmed);
  const body = checkedBody(trimmed);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const seconds = view.getUint16(1) * 2 ** 32 + view.getUint32(3);
  const { urls, rest } = readUrls(body.subarray(FIXED_BYTES), body[63] as number);
  const token: SessionToken = {
    urls,
    workerKey: body.slice(7, 39),
    keyId: body.slice(39, 47),
    secret: body.slice(47, 63),
    scopes: SCOPES.filter((_, bit) => ((body[0] as number) & (1 << bit)) !== 0),
    expiresAt: seconds === 0 ? undefined : new Date(seconds * 1000),
    features: TOKEN_FEATURES.filter((_, bit) => ((rest[0] ?? 0) & (1 << bit)) !== 0),
  };
  checkToken(token);
  return token;
}

/** Quotes, brackets, byte order marks and spaces that come along when people copy a text. */
const AROUND = /^[\s\ufeff\u200b"'`\u2018\u2019\u201c\u201d<>]+|[\s\ufeff\u200b"'`\u2018\u2019\u201c\u201d<>]+$/g;

/** A text as a person means it, without what came along when it was copied. */
export function pastedText(text: string): string {
  return text.replaceAll(AROUND, '');
}

/** A token's key id as it is written in lists, logs and file names: 16 hex characters. Not a secret. */
export function keyIdText(keyId: Uint8Array): string {
  return bytesToHex(keyId);
}

function checkPrefix(text: string): void {
  if (text.length > MAX_TOKEN_CHARS) throw notAToken('it is too long');
  if (text.startsWith(TEXT.prefix)) return;
  if (/^mrtc[0-9]+_/.test(text)) {
    throw new ModelRtcError(
      'bad_argument',
      'The session token was made by another version of model-rtc; upgrade this machine.',
    );
  }
  throw notAToken('a token starts with "mrtc1_"');
}

/** The body of a token whose checksum is right. */
function checkedBody(text: string): Uint8Array {
  const body = decodeChecked(TEXT, text);
  if (body !== undefined && body.length >= FIXED_BYTES) return body;
  throw new ModelRtcError('bad_argument', 'The session token is mistyped or cut off; copy it again.');
}

function flagsOf<T>(set: readonly T[], all: readonly T[]): number {
  return set.reduce((bits, one) => bits | (1 << all.indexOf(one)), 0);
}

/** Behind the last URL may be a byte of features; bytes after that belong to later minor versions and are ignored. */
function readUrls(bytes: Uint8Array, count: number): { readonly urls: string[]; readonly rest: Uint8Array } {
  const urls: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const end = at + 2 + length;
    if (end > bytes.length) throw notAToken('an address in it is cut off');
    urls.push(String.fromCharCode(...bytes.subarray(at + 2, Math.min(end, at + 3 + MAX_URL_CHARS))));
    at = end;
  }
  return { urls, rest: bytes.subarray(at) };
}

function checkToken(token: SessionToken): void {
  const { urls, workerKey, keyId, secret, scopes, expiresAt } = token;
  if (workerKey.length !== 32 || keyId.length !== 8 || secret.length !== 16)
    throw notAToken('a key has the wrong length');
  if (urls.length < 1 || urls.length > MAX_TOKEN_URLS) throw notAToken(`it has ${urls.length} signaling addresses`);
  if (!urls.every(isSignalingUrl)) throw notAToken('an address in it is not a ws:// or wss:// URL');
  if (scopes.length === 0) throw notAToken('it allows nothing that this version knows; upgrade this machine');
  if (!scopes.every((scope) => SCOPES.includes(scope))) throw notAToken('it has an unknown scope');
  const seconds = expiresAt === undefined ? 1 : Math.floor(expiresAt.getTime() / 1000);
  if (!(seconds >= 1 && seconds <= MAX_SECONDS)) throw notAToken('its expiry is not a valid time');
}

/** Whether the text is an address of a signaling server: printable ASCII, `ws:` or `wss:`, a host, no user name or password. */
export function isSignalingUrl(text: string): boolean {
  if (text.length > MAX_URL_CHARS || !/^wss?:\/\/[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.hostname !== '' && url.username === '' && url.password === '' && url.hash === '';
}

function notAToken(problem: string): ModelRtcError {
  return new ModelRtcError('bad_argument', `This is not a session token (${problem}); copy it again from the worker.`);
}
