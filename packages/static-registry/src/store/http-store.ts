import { type Clock, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { BODY_GAP_MS, HEAD_TIMEOUT_MS } from '../limits.ts';
import { retryAfterMs } from './retry-after.ts';
import type { ReadOptions, RegistryStore, StoreAnswer } from './types.ts';

/** The part of `fetch` that is used here; that of Node, of undici or of a browser. */
export type Fetch = (
  url: string,
  init: { readonly headers: Record<string, string>; readonly signal: AbortSignal; readonly redirect: 'follow' },
) => Promise<FetchResponse>;

export interface FetchResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | ReadableBody | null;
}

interface ReadableBody {
  getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>; cancel(): Promise<void> };
}

export interface HttpStoreOptions {
  /** Begins with `http:` or `https:`. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock?: Clock | undefined;
  /** Seconds since 1970, for a `Retry-After` that names a time. */
  readonly now?: (() => Date) | undefined;
  /** How long to wait for the head of an answer, and for the next bytes of its body. */
  readonly headTimeoutMs?: number | undefined;
  readonly bodyGapMs?: number | undefined;
}

/** A static registry behind HTTP. */
export function createHttpStore(options: HttpStoreOptions): RegistryStore {
  const base = new URL(options.url);
  const authorization = base.username === '' ? undefined : basicAuthorization(base);
  for (const part of ['username', 'password', 'search', 'hash'] as const) base[part] = '';
  const url = base.href.replace(/\/+$/, '');
  return {
    url,
    read: async (path, read = {}) => await readOnce(options, { url: `${url}/${path}`, authorization }, read),
  };
}

interface Target {
  readonly url: string;
  readonly authorization: string | undefined;
}

async function readOnce(options: HttpStoreOptions, target: Target, read: ReadOptions): Promise<StoreAnswer> {
  const { fetch, clock = systemClock, headTimeoutMs = HEAD_TIMEOUT_MS } = options;
  const { signal } = read;
  signal?.throwIfAborted();
  const abort = new AbortController();
  const follow = (): void => abort.abort(signal?.reason);
  signal?.addEventListener('abort', follow, { once: true });
  const release = (): void => signal?.removeEventListener('abort', follow);
  const late = new ModelRtcError('timeout', `${hostOf(target.url)} did not answer within ${headTimeoutMs / 1000} s.`);
  const stopTimer = clock.after(headTimeoutMs, () => abort.abort(late));
  try {
    const response = await fetch(target.url, {
      headers: headersOf(target, read),
      signal: abort.signal,
      redirect: 'follow',
    });
    stopTimer();
    const answer = answerOf(response, target, read, options);
    if (answer.kind !== 'found') {
      abort.abort();
      release();
      return answer;
    }
    return { ...answer, body: bodyOf(response, { abort, release, url: target.url, options }) };
  } catch (error) {
    stopTimer();
    release();
    abort.abort();
    throw asStoreError(error, target.url, signal);
  }
}

function headersOf({ authorization }: Target, { range, etag }: ReadOptions): Record<string, string> {
  return {
    // Ranges count the bytes that lie there, not compressed ones.
    'accept-encoding': 'identity',
    ...(authorization === undefined ? {} : { authorization }),
    ...(range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
  };
}

type Head = Exclude<StoreAnswer, { kind: 'found' }> | Omit<Extract<StoreAnswer, { kind: 'found' }>, 'body'>;

function answerOf(response: FetchResponse, target: Target, { range }: ReadOptions, options: HttpStoreOptions): Head {
  const { status, headers } = response;
  if (target.url.startsWith('https:') && response.url.startsWith('http:')) {
    throw new ModelRtcError(
      'refused',
      `${hostOf(target.url)} sends requests on to an address without encryption. Nothing is taken from there.`,
    );
  }
  if (status === 304) return { kind: 'unchanged' };
  if (status === 404 || status === 410) return { kind: 'missing' };
  const etag = headers.get('etag') ?? undefined;
  if (status === 200) return { kind: 'found', offset: 0, totalBytes: lengthOf(headers), etag };
  if (status === 206 && range !== undefined) return { kind: 'found', ...partOf(headers, range, target), etag };
  // The file is shorter than where the part begins: it is not the file that was asked for.
  if (status === 416) return { kind: 'missing' };
  throw statusError(response, target, options);
}

function statusError({ status, headers }: FetchResponse, { url }: Target, { now }: HttpStoreOptions): ModelRtcError {
  const host = hostOf(url);
  if (status === 429 || status === 503) {
    const waitMs = retryAfterMs(headers.get('retry-after'), now?.() ?? new Date());
    const sentence = `${host} is busy (HTTP ${status}). Try again later.`;
    return new ModelRtcError('busy', sentence, { details: { status, retryAfterMs: waitMs } });
  }
  if (status === 401 || status === 403) {
    return new ModelRtcError(
      'refused',
      `${host} refuses to give ${url} (HTTP ${status}). Check the address and your right to read it.`,
      {
        details: { status },
      },
    );
  }
  const isTemporary = status === 408 || status >= 500;
  return new ModelRtcError(isTemporary ? 'network' : 'refused', `${host} answered HTTP ${status} for ${url}.`, {
    details: { status },
  });
}

function lengthOf(headers: FetchResponse['headers']): number | undefined {
  const text = headers.get('content-length');
  // The length of an encoded body is another one.
  if (text === null || !/^\d{1,16}$/.test(text) || (headers.get('content-encoding') ?? 'identity') !== 'identity')
    return undefined;
  return Number(text);
}

function partOf(headers: FetchResponse['headers'], range: NonNullable<ReadOptions['range']>, { url }: Target) {
  const [, from, total] = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16}|\*)$/i.exec(headers.get('content-range') ?? '') ?? [];
  if (from === undefined || Number(from) !== range.offset) {
    throw new ModelRtcError('network', `${hostOf(url)} sent another part of a file than it was asked for.`);
  }
  return { offset: Number(from), totalBytes: total === undefined || total === '*' ? undefined : Number(total) };
}

interface BodyParts {
  readonly abort: AbortController;
  readonly release: () => void;
  readonly url: string;
  readonly options: HttpStoreOptions;
}

/** The body, with a limit on the time without bytes. Whoever stops reading it ends the request. */
async function* bodyOf(
  { body }: FetchResponse,
  { abort, release, url, options }: BodyParts,
): AsyncGenerator<Uint8Array> {
  const { clock = systemClock, bodyGapMs = BODY_GAP_MS } = options;
  const late = new ModelRtcError('timeout', `${hostOf(url)} sent nothing for ${bodyGapMs / 1000} s.`);
  let stopTimer = (): void => {};
  let isDone = body === null;
  try {
    if (body === null) return;
    const reader = 'getReader' in body ? readerOf(body) : body[Symbol.asyncIterator]();
    for (;;) {
      stopTimer = clock.after(bodyGapMs, () => abort.abort(late));
      const next = await reader.next();
      stopTimer();
      if (next.done) break;
      yield next.value;
    }
    isDone = true;
  } catch (error) {
    throw asStoreError(error, url, abort.signal);
  } finally {
    stopTimer();
    release();
    if (!isDone) abort.abort();
  }
}

/** Browsers cannot all iterate over a body. */
function readerOf(body: ReadableBody): AsyncIterator<Uint8Array> {
  const reader = body.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done || value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
  };
}

/** Whoever aborted says why; everything else that `fetch` throws is the network. */
function asStoreError(error: unknown, url: string, signal: AbortSignal | undefined): ModelRtcError {
  if (signal?.aborted && signal.reason !== undefined) return ModelRtcError.from(signal.reason);
  if (error instanceof ModelRtcError) return error;
  const cause = (error as { cause?: { message?: string; code?: string } } | undefined)?.cause;
  const why = cause?.code ?? cause?.message ?? (error as Error | undefined)?.message ?? 'unknown';
  return new ModelRtcError(
    'network',
    `${hostOf(url)} cannot be reached, or broke off (${why}). Check the address and the network.`,
    {
      cause: error,
    },
  );
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function basicAuthorization({ username, password }: URL): string {
  const bytes = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
