import { MAX_URL_CHARS } from '../limits.ts';
import { HttpError } from './problems.ts';

export interface Target {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * A request's path in parts, each decoded once. Nothing of it is ever a path of this machine's disk: parts are compared with names
 * of models and of their files.
 * @throws HttpError 400 for what is no path, 414 for a long one
 */
export function parseTarget(url: string | undefined): Target {
  const text = url ?? '';
  if (text.length > MAX_URL_CHARS) throw new HttpError(414, 'bad_argument', 'The address is too long.');
  // An absolute address is for proxies.
  if (!text.startsWith('/')) throw new HttpError(400, 'bad_argument', 'The address has no path.');
  const at = text.indexOf('?');
  const [path, query] = at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  return { path: path.slice(1).split('/').map(decodePart), query: new URLSearchParams(query) };
}

function decodePart(part: string): string {
  const text = decode(part);
  // No name has any; those above 127 steer terminals too.
  if (/\p{Cc}/u.test(text)) throw new HttpError(400, 'bad_argument', 'The address has control characters.');
  return text;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw HttpError.because(cause, 400, 'bad_argument', 'The address is not well encoded.');
  }
}

/** A parameter's number between two bounds, or the higher one. @throws HttpError 400 */
export function numberParameter(query: URLSearchParams, name: string, max: number): number {
  const text = query.get(name);
  if (text === null) return max;
  if (/^[1-9]\d{0,8}$/.test(text)) return Math.min(Number(text), max);
  throw new HttpError(400, 'bad_argument', `${name} takes a number from 1 on.`);
}
