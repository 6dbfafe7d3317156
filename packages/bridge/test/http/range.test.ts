import { describe, expect, it } from '@jest/globals';
import { wantedBytes } from '../../src/http/range.ts';

const ETAG = '"abc"';
const GIB5 = 5 * 1024 ** 3;
const part = (start: number, end: number) => ({ kind: 'part', start, end });
const whole = { kind: 'whole' };
const unsatisfiable = { kind: 'unsatisfiable' };

describe('what bytes a request wants', () => {
  it.each<[string, number, object]>([
    ['bytes=0-0', 10, part(0, 0)],
    ['bytes=0-9', 10, part(0, 9)],
    ['bytes=3-', 10, part(3, 9)],
    ['bytes=9-', 10, part(9, 9)],
    ['bytes=-1', 10, part(9, 9)],
    ['bytes=-10', 10, part(0, 9)],
    ['bytes=-99', 10, part(0, 9)],
    ['bytes=5-99', 10, part(5, 9)],
    ['bytes= 2-3', 10, part(2, 3)],
    ['bytes=4294967296-4294967299', GIB5, part(2 ** 32, 2 ** 32 + 3)],
    ['bytes=-1', GIB5, part(GIB5 - 1, GIB5 - 1)],
    // Neighbours and overlaps are one range.
    ['bytes=0-3,4-6', 10, part(0, 6)],
    ['bytes=0-5, 2-8', 10, part(0, 8)],
    // Of several that do not touch, the whole file is the answer.
    ['bytes=0-1,5-6', 10, whole],
    ['bytes=0-0,-1', 10, whole],
    ['bytes=5-4', 10, unsatisfiable],
    // Behind the end.
    ['bytes=10-', 10, unsatisfiable],
    ['bytes=10-20', 10, unsatisfiable],
    ['bytes=-0', 10, unsatisfiable],
    ['bytes=99999999999999999999-', 10, unsatisfiable],
    ['bytes=0-', 0, unsatisfiable],
    ['bytes=-5', 0, unsatisfiable],
    // The one that fits counts.
    ['bytes=50-60,1-2', 10, part(1, 2)],
    // What is no range is ignored.
    ['bytes=', 10, whole],
    ['bytes=-', 10, whole],
    ['bytes=a-b', 10, whole],
    ['bytes=1-2x', 10, whole],
    ['bytes=0x1-0x2', 10, whole],
    ['bytes=1.5-2', 10, whole],
    ['bytes=+1-2', 10, whole],
    ['bytes 1-2', 10, whole],
    ['lines=1-2', 10, whole],
    ['Bytes=1-2', 10, whole],
    ['1-2', 10, whole],
    ['', 10, whole],
  ])('%j of %i bytes', (range, size, wanted) => {
    expect(wantedBytes('GET', { range }, size, ETAG)).toEqual(wanted);
  });

  it.each<[string, Record<string, string>, object]>([
    ['GET', { 'if-none-match': ETAG }, { kind: 'unchanged' }],
    ['HEAD', { 'if-none-match': ETAG }, { kind: 'unchanged' }],
    ['GET', { 'if-none-match': `"other", W/${ETAG}` }, { kind: 'unchanged' }],
    ['GET', { 'if-none-match': '*' }, { kind: 'unchanged' }],
    ['GET', { 'if-none-match': '"other"' }, whole],
    ['GET', { 'if-none-match': ETAG, range: 'bytes=0-1' }, { kind: 'unchanged' }],
    ['GET', { 'if-none-match': ETAG, 'cache-control': 'no-cache' }, { kind: 'unchanged' }],
    ['GET', { 'if-match': ETAG }, whole],
    ['GET', { 'if-match': `"other", ${ETAG}`, range: 'bytes=0-1' }, part(0, 1)],
    ['GET', { 'if-match': '*' }, whole],
    ['GET', { 'if-match': '"other"' }, { kind: 'failed' }],
    ['GET', { 'if-match': `W/${ETAG}` }, { kind: 'failed' }],
    ['GET', { 'if-range': ETAG, range: 'bytes=2-3' }, part(2, 3)],
    ['GET', { 'if-range': '"other"', range: 'bytes=2-3' }, whole],
    ['GET', { 'if-range': `W/${ETAG}`, range: 'bytes=2-3' }, whole],
    ['GET', { 'if-range': 'Wed, 21 Oct 2026 07:28:00 GMT', range: 'bytes=2-3' }, whole],
    ['GET', { 'if-range': '"other"', range: 'bytes=99-' }, whole],
    ['HEAD', { range: 'bytes=2-3' }, whole],
  ])('%s with %j', (method, headers, wanted) => {
    expect(wantedBytes(method, headers, 10, ETAG)).toEqual(wanted);
  });
});
