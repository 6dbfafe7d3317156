import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './problems.ts';

export interface GuardOptions {
  /** What clients must show; undefined where every program of this machine may ask. */
  readonly token: string | undefined;
  /** Whether only this machine reaches the bridge. */
  readonly isLoopback: boolean;
}

/** Names that mean this machine to a browser wherever it is. A site that makes its own name lead here has another. */
const LOOPBACK_NAME = /^(?:localhost|[a-z0-9-]{1,63}\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
const HOST = /^(?<name>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/** @returns the address that the client used @throws HttpError for a request that may not be answered */
export function letIn({ headers, headersDistinct }: IncomingMessage, { token, isLoopback }: GuardOptions): string {
  const host = (headers.host ?? 'localhost').toLowerCase();
  const name = HOST.exec(host)?.groups?.name;
  // Of two, this side and a proxy could each take another.
  if (name === undefined || (headersDistinct.host?.length ?? 0) > 1)
    throw new HttpError(400, 'bad_argument', 'The Host header is not a host.');
  if (isLoopback && !LOOPBACK_NAME.test(name)) {
    throw new HttpError(403, 'refused', 'Ask by the name localhost or the address 127.0.0.1.');
  }
  const origin = `http://${host}`;
  refusePages(headers, origin);
  if (token !== undefined && !isToken(headers.authorization, token)) {
    const ask = { 'www-authenticate': 'Bearer realm="model-rtc"' };
    throw new HttpError(401, 'refused', "Send the bridge's token: Authorization: Bearer TOKEN.", { headers: ask });
  }
  return origin;
}

/**
 * A page of any site can make a browser ask this machine. It could not read the answer, since there is no CORS here, but it could
 * have models fetched.
 */
function refusePages({ origin, ...headers }: IncomingMessage['headers'], own: string): void {
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined ? true : origin === own;
  const isDirect = site === undefined || site === 'none' || site === 'same-origin';
  if (!isOwn || !isDirect) throw new HttpError(403, 'refused', 'Web pages of other sites may not ask this bridge.');
}

/** Compares hashes, so that the time tells neither a length nor how many characters are right. */
function isToken(authorization: string | undefined, token: string): boolean {
  const [, shown] = /^bearer +(\S{1,512}) *$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(hash(shown ?? ''), hash(token)) && shown !== undefined;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
