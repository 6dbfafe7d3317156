import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Who may ask, as a store knows them. */
export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request as it came, for its signature to be checked. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodySha256: string;
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Further elements of the answer. */
  readonly more?: Readonly<Record<string, string>>;
}

const SCOPE =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const MOST_SKEW_MS = 15 * 60 * 1000;

/**
 * Checks a request by Signature Version 4 as S3 does, from AWS's description of it and not by the client's code: headers, query, clock, region, the
 * hash of the body, and the session token. @returns undefined for a right one
 */
export function refusalOf(
  request: SignedRequest,
  { keys, region, nowMs }: { keys: readonly S3Key[]; region: string; nowMs: number },
): Refusal | undefined {
  const { headers } = request;
  const [, id, day, signedRegion, signed, signature] = SCOPE.exec(headers.authorization ?? '') ?? [];
  if (id === undefined || day === undefined || signed === undefined || signature === undefined) {
    return { status: 403, code: 'AccessDenied', message: 'Access Denied' };
  }
  if (signedRegion !== region) {
    const message = `The authorization header is malformed; the region '${signedRegion}' is wrong; expecting '${region}'`;
    return { status: 400, code: 'AuthorizationHeaderMalformed', message, more: { Region: region } };
  }
  const key = keys.find(({ accessKeyId }) => accessKeyId === id);
  if (key === undefined) return { status: 403, code: 'InvalidAccessKeyId', message: 'No such key' };
  const time = timeOf(String(headers['x-amz-date']));
  if (time === undefined || Math.abs(time - nowMs) > MOST_SKEW_MS) {
    const message = 'The difference between the request time and the current time is too large.';
    return { status: 403, code: 'RequestTimeTooSkewed', message };
  }
  const names = signed.split(';');
  const mustBeSigned = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  const isAllSigned = mustBeSigned.every((name) => names.includes(name));
  if (!isAllSigned) return { status: 403, code: 'AccessDenied', message: 'There were headers that are not signed' };
  if (headers['x-amz-security-token'] !== key.sessionToken) {
    return { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' };
  }
  const said = String(headers['x-amz-content-sha256']);
  if (said !== 'UNSIGNED-PAYLOAD' && said !== request.bodySha256) {
    return { status: 400, code: 'XAmzContentSHA256Mismatch', message: 'The body is another one than was signed' };
  }
  const expected = signatureOf(request, names, { key, day, region });
  if (timingSafeEqual(Buffer.from(expected, 'hex'), Buffer.from(signature, 'hex'))) return undefined;
  return { status: 403, code: 'SignatureDoesNotMatch', message: 'The signature we calculated is another one.' };
}

interface Scope {
  readonly key: S3Key;
  readonly day: string;
  readonly region: string;
}

export function signatureOf(
  { method, url, headers }: Omit<SignedRequest, 'bodySha256'>,
  names: readonly string[],
  { key, day, region }: Scope,
): string {
  const [path = '', query = ''] = url.split('?', 2);
  const lines = names.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`).join('');
  const pairs = query.split('&').filter((pair) => pair !== '');
  const canonicalQuery = pairs
    .map((pair) => canonicalPair(pair))
    .sort()
    .join('&');
  const canonicalPath = path
    .split('/')
    .map((part) => escaped(decodeURIComponent(part)))
    .join('/');
  const canonical = [
    ...[method, canonicalPath, canonicalQuery, lines, names.join(';')],
    String(headers['x-amz-content-sha256']),
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  let secret: Buffer = Buffer.from(`AWS4${key.secretAccessKey}`);
  for (const part of [day, region, 's3', 'aws4_request']) secret = hmac(secret, part);
  return hmac(secret, text).toString('hex');
}

function canonicalPair(pair: string): string {
  const [name = '', value = ''] = pair.split('=', 2);
  return `${escaped(decodeURIComponent(name))}=${escaped(decodeURIComponent(value))}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function timeOf(text: string): number | undefined {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return y === undefined ? undefined : Date.UTC(+y, Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: string | Uint8Array, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}
