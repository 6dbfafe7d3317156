import { ModelRtcError } from '@model-rtc/protocol';
import { hostOf, statusError } from './errors.ts';
import { type HttpResponse, sendRequest } from './request.ts';
import type { ByteRange, FileAnswer, HttpClient, ReadOptions, ResponseHeaders } from './types.ts';

/** The address of a file, with what must be said to get it. */
export interface FileAddress {
  readonly url: string;
  readonly headers?: Record<string, string> | undefined;
}

/** Reads a file, or a part of it, behind HTTP: one attempt. @throws ModelRtcError as `RemoteFile.read` does */
export async function readUrl(
  client: HttpClient,
  { url, headers }: FileAddress,
  read: ReadOptions,
): Promise<FileAnswer> {
  const request = { url, headers: { ...headers, ...rangeHeaders(read) }, signal: read.signal };
  return await answerFile(client, await sendRequest(client, request), url, read);
}

/** What a request says to get a part of a file, as it lies there. */
export function rangeHeaders({ range, etag }: ReadOptions): Record<string, string> {
  return {
    // Ranges count the bytes that lie there, not compressed ones.
    'accept-encoding': 'identity',
    ...(range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
  };
}

/** Makes an answer to a request for a file what it means, and ends the request where it brings nothing. @throws ModelRtcError as `RemoteFile.read` does */
export async function answerFile(
  client: HttpClient,
  response: HttpResponse,
  url: string,
  { range }: ReadOptions,
): Promise<FileAnswer> {
  try {
    const head = headOf(response, url, range, client);
    if (head.kind === 'found') return { ...head, body: response.body };
    await response.discard();
    return head;
  } catch (error) {
    await response.discard();
    throw error;
  }
}

type Head = Exclude<FileAnswer, { kind: 'found' }> | Omit<Extract<FileAnswer, { kind: 'found' }>, 'body'>;

function headOf(
  { status, headers }: HttpResponse,
  url: string,
  range: ByteRange | undefined,
  client: HttpClient,
): Head {
  if (status === 304) return { kind: 'unchanged' };
  if (status === 404 || status === 410) return { kind: 'missing' };
  const etag = headers.get('etag') ?? undefined;
  if (status === 200) return { kind: 'found', offset: 0, totalBytes: lengthOf(headers), etag };
  if (status === 206 && range !== undefined) return { kind: 'found', ...partOf(headers, range, url), etag };
  // The file is shorter than where the part begins: it is not the file that was asked for.
  if (status === 416) return { kind: 'missing' };
  throw statusError({ status, headers }, url, client);
}

function lengthOf(headers: ResponseHeaders): number | undefined {
  const text = headers.get('content-length');
  // The length of an encoded body is another one.
  if (text === null || !/^\d{1,16}$/.test(text) || (headers.get('content-encoding') ?? 'identity') !== 'identity')
    return undefined;
  return Number(text);
}

function partOf(headers: ResponseHeaders, range: ByteRange, url: string) {
  const [, from, total] = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16}|\*)$/i.exec(headers.get('content-range') ?? '') ?? [];
  if (from === undefined || Number(from) !== range.offset) {
    throw otherPart(url);
  }
  return { offset: Number(from), totalBytes: total === undefined || total === '*' ? undefined : Number(total) };
}

/** A server that answers with a part must say which, or its bytes would be taken for others. */
export function otherPart(url: string): ModelRtcError {
  return new ModelRtcError('network', `${hostOf(url)} sent another part of a file than it was asked for.`);
}
