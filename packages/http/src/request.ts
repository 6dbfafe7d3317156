import { ModelRtcError, systemClock } from '@model-rtc/protocol';
import { fetchError, hostOf } from './errors.ts';
import { BODY_GAP_MS, HEAD_TIMEOUT_MS, MAX_DRAINED_BYTES } from './limits.ts';
import type { FetchInit, FetchResponse, HttpClient, ReadableBody, ResponseHeaders } from './types.ts';

export interface HttpRequest extends Partial<Pick<FetchInit, 'method' | 'body' | 'redirect'>> {
  readonly url: string;
  readonly headers?: Record<string, string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** Read it to its end, leave it, or call `discard`: each ends the request. Throws `network` or `timeout` when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends a request whose body nobody wants; keeps the connection if the body is short. */
  discard(): Promise<void>;
}

/**
 * Sends one request, and waits for the head of the answer, whatever its status is.
 * @throws ModelRtcError `network`, `timeout`; `refused` when it is sent on from an encrypted address to another kind
 */
export async function sendRequest(client: HttpClient, request: HttpRequest): Promise<HttpResponse> {
  const { fetch, clock = systemClock, headTimeoutMs = HEAD_TIMEOUT_MS } = client;
  const { url, headers = {}, signal, method = 'GET', body = null, redirect = 'follow' } = request;
  signal?.throwIfAborted();
  const abort = new AbortController();
  const follow = (): void => abort.abort(signal?.reason);
  signal?.addEventListener('abort', follow, { once: true });
  const release = (): void => signal?.removeEventListener('abort', follow);
  const late = new ModelRtcError('timeout', `${hostOf(url)} did not answer within ${headTimeoutMs / 1000} s.`);
  const stopTimer = clock.after(headTimeoutMs, () => abort.abort(late));
  try {
    const response = await fetch(url, { method, headers, body, signal: abort.signal, redirect });
    requireEncryption(url, response.url);
    return answerOf(response, { abort, release, url, client });
  } catch (error) {
    release();
    // Whoever waited too long says so; a request that the caller ended says why.
    const known = fetchError(error, url, abort.signal);
    abort.abort();
    throw known;
  } finally {
    stopTimer();
  }
}

/** @throws ModelRtcError `refused` when an encrypted address sends on to one without encryption */
export function requireEncryption(from: string, to: string): void {
  if (!from.startsWith('https:') || !to.startsWith('http:')) return;
  throw new ModelRtcError(
    'refused',
    `${hostOf(from)} sends requests on to an address without encryption. Nothing is taken from there.`,
  );
}

interface OpenRequest {
  readonly abort: AbortController;
  readonly release: () => void;
  readonly url: string;
  readonly client: HttpClient;
}

function answerOf(response: FetchResponse, open: OpenRequest): HttpResponse {
  const { status, headers, url } = response;
  const body = bodyOf(response, open);
  return {
    ...{ status, headers, url: url === '' ? open.url : url, body },
    async discard() {
      const length = headers.get('content-length');
      if (length === null || Number(length) > MAX_DRAINED_BYTES) {
        open.release();
        open.abort.abort();
        return;
      }
      try {
        for await (const _piece of body);
      } catch {
        // Nobody wants it.
      }
    },
  };
}

/** The body, with a limit on the time without bytes. Whoever stops reading it ends the request. */
async function* bodyOf(
  { body }: FetchResponse,
  { abort, release, url, client }: OpenRequest,
): AsyncGenerator<Uint8Array> {
  const { clock = systemClock, bodyGapMs = BODY_GAP_MS } = client;
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
    throw fetchError(error, url, abort.signal);
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
