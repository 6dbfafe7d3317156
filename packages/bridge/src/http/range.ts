import type { IncomingHttpHeaders } from 'node:http';
import fresh from 'fresh';

/** What to answer a request for a file. `end` is the last byte's place. */
export type Wanted =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unchanged' | 'failed' | 'unsatisfiable' };

const RANGES = /^bytes=[ \t]*(?:\d+-\d*|-\d+)(?:[ \t]*,[ \t]*(?:\d+-\d*|-\d+))*[ \t]*$/;

/**
 * Which bytes of a file a request wants, by its conditions and its range.
 * Source: RFC 9110, sections 13 and 14. Several ranges that do not touch are answered with the whole file, which the RFC allows: no
 * download tool asks for them, and their answer would be of another form.
 * @param etag - a strong one, in quotes
 */
export function wantedBytes(method: string, headers: IncomingHttpHeaders, size: number, etag: string): Wanted {
  const match = headers['if-match'];
  if (match !== undefined && !namesStrongly(match, etag)) return { kind: 'failed' };
  // "no-cache" is for caches between; a client that says what it has is told when it has it.
  const none = headers['if-none-match'];
  if (none !== undefined && fresh({ 'if-none-match': none }, { etag })) return { kind: 'unchanged' };
  const { range } = headers;
  // A range means something in a GET alone.
  if (method !== 'GET' || range === undefined || !RANGES.test(range)) return { kind: 'whole' };
  const since = headers['if-range'];
  // A date tells nothing: files have none here.
  if (since !== undefined && since !== etag) return { kind: 'whole' };
  const [first, ...others] = joinRanges(readRanges(range, size));
  if (first === undefined) return { kind: 'unsatisfiable' };
  return others.length > 0 ? { kind: 'whole' } : { kind: 'part', ...first };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Those that have bytes in the file. A suffix that is longer than the file is all of it. */
function readRanges(text: string, size: number): Range[] {
  return text
    .slice(text.indexOf('=') + 1)
    .split(',')
    .map((one) => {
      const [from = '', to = ''] = one.trim().split('-');
      if (from === '') return { start: Math.max(0, size - Number(to)), end: size - 1 };
      return { start: Number(from), end: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
    })
    .filter(({ start, end }) => start <= end);
}

/** Neighbours and overlaps are one range. */
function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last === undefined || range.start > last.end + 1) joined.push(range);
    else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return joined;
}

/** A weak name never matches strongly. */
function namesStrongly(list: string | string[], etag: string): boolean {
  const text = String(list).trim();
  return text === '*' || text.split(',').some((one) => one.trim() === etag);
}
