import {
  encodeSessionToken,
  fromBase64Url,
  identityFromSeed,
  parseSessionToken,
  type Scope,
  type SessionToken,
  sha256Digest,
  toBase64Url,
} from '../../src/index.ts';
import { counting, fromHex, toHex } from './bytes.ts';

const workerKey = identityFromSeed(counting(32)).publicKey;
const keyId = counting(8, 0x40);
const secret = counting(16, 0x80);
const local = 'ws://127.0.0.1:8787';

function token(urls: string[], scopes: Scope[], expiresAt?: string): SessionToken {
  return {
    urls,
    workerKey,
    keyId,
    secret,
    scopes,
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
  };
}

const accepted: [string, SessionToken][] = [
  ['one address, read only, no expiry', token([local], ['read'])],
  ['every scope and an expiry', token([local], ['read', 'write', 'track'], '2031-05-06T07:08:09Z')],
  [
    'several addresses',
    token(['wss://signal.example.org/rooms?x=1', 'ws://[2001:db8::1]:8787', 'ws://lab.local'], ['read', 'write']),
  ],
  ['of a worker that takes asks', { ...token([local], ['read']), features: ['ask'] }],
  ['an expiry beyond 32 bits of seconds', token([local], ['track'], '2200-01-01T00:00:00Z')],
];

/** A token around any body, with the right checksum. */
function sealed(body: Uint8Array): string {
  const checksum = sha256Digest(Buffer.concat([Buffer.from('model-rtc/1/token\0'), body])).slice(0, 8);
  return `mrtc1_${toBase64Url(Buffer.concat([body, fromHex(checksum)]))}`;
}

function changed(change: (body: Uint8Array) => Uint8Array): string {
  const bytes = fromBase64Url(encodeSessionToken(token([local], ['read'])).slice(6));
  const body = bytes.slice(0, -4);
  return sealed(change(body));
}

/** The body with another address; its length is written as given. */
function withUrl(url: string, length = url.length): string {
  const address = Buffer.concat([Uint8Array.of(length >> 8, length & 0xff), Buffer.from(url, 'latin1')]);
  return changed((body) => Buffer.concat([body.subarray(0, 64), address]));
}

const good = encodeSessionToken(token([local], ['read']));

const refused: [string, string][] = [
  ['nothing', ''],
  ['another word', 'good-mouse-v1'],
  ['the prefix alone', 'mrtc1_'],
  ['a newer version', good.replace('mrtc1_', 'mrtc2_')],
  ['the prefix in upper case', good.replace('mrtc1_', 'MRTC1_')],
  ['one character mistyped', `${good.slice(0, 20)}${good[20] === 'A' ? 'B' : 'A'}${good.slice(21)}`],
  ['two characters swapped', good.slice(0, 71) + (good[72] ?? '') + (good[71] ?? '') + good.slice(73)],
  ['the last character cut off', good.slice(0, -1)],
  ['half of it cut off', good.slice(0, 60)],
  ['a character more', `${good}A`],
  ['white space inside', `${good.slice(0, 30)} ${good.slice(30)}`],
  ['padding', `${good}=`],
  ['longer than 2048 characters', `mrtc1_${'A'.repeat(2043)}`],
  ['no known scope', changed((body) => body.fill(0x80, 0, 1))],
  ['no addresses', changed((body) => body.fill(0, 63, 64))],
  ['17 addresses', changed((body) => body.fill(17, 63, 64))],
  ['an address that is cut off', withUrl(local, local.length + 1)],
  ['an http address', withUrl('http://127.0.0.1')],
  ['an address without a host', withUrl('ws://')],
  ['an address with a user name', withUrl('ws://me@example.org')],
  ['an address with a space', withUrl('ws://a b')],
  ['an address that is not ASCII', withUrl('ws://m\u00fcller')],
  ['an address of 257 characters', withUrl(`ws://${'a'.repeat(252)}`)],
  ['an expiry that is no time', changed((body) => body.fill(0xff, 1, 7))],
];

export function tokenVectors() {
  return {
    description: 'Session tokens as text. Bytes are hex. Each of "refused" must be refused.',
    accepted: accepted.map(([name, fields]) => {
      const text = encodeSessionToken(fields);
      return { name, text, ...tokenFields(fields) };
    }),
    acceptedToo: [
      { name: 'white space around it', text: `  ${good}\r\n`, same: good },
      { name: 'bytes after the last address, of a later version', text: laterVersion(), same: good },
      { name: 'an unknown scope beside a known one', text: changed((body) => body.fill(0x81, 0, 1)), same: good },
    ],
    refused: refused.map(([name, text]) => ({ name, text })),
  };
}

function laterVersion(): string {
  return changed((body) => Buffer.concat([body, counting(9)]));
}

function tokenFields(fields: SessionToken) {
  return {
    urls: fields.urls,
    workerKey: toHex(fields.workerKey),
    keyId: toHex(fields.keyId),
    secret: toHex(fields.secret),
    scopes: fields.scopes,
    expiresAt: fields.expiresAt?.toISOString() ?? null,
    ...(fields.features?.length ? { features: fields.features } : {}),
  };
}

/** For the tests of the vectors: the fields that a text gives. */
export function parsedFields(text: string) {
  return tokenFields(parseSessionToken(text));
}
