import { Readable } from 'node:stream';
import { createNodeDispatcher } from '@model-rtc/http';
import { S3_ANSWER_TIMEOUT_MS } from '../limits.ts';

/** A request as the AWS SDK hands it to whatever sends it; the part that is used here. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** What the AWS SDK sends its requests with. */
export interface S3HttpHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ readonly response: SdkResponse }>;
  destroy(): void;
  httpHandlerConfigs(): object;
  updateHttpClientConfig(): void;
  /** The time that the server said last, in milliseconds since 1970; this machine's before it said any. */
  serverNowMs(): number;
}

/** A body is handed over in such pieces, so that a slow link counts as alive while it takes them. */
const PIECE_BYTES = 256 * 1024;

/**
 * Sends the requests of the AWS SDK through the proxies of the environment, as everything else here goes; the SDK's own way knows none.
 * @param env - where proxies are named
 * @param silenceMs - how long a server may neither take anything nor begin its answer
 */
export function createS3HttpHandler(
  env: Readonly<Record<string, string | undefined>>,
  silenceMs: number = S3_ANSWER_TIMEOUT_MS,
): S3HttpHandler {
  const dispatcher = createNodeDispatcher({ env });
  let aheadMs = 0;
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, { abortSignal } = {}) {
      const silence = watchSilence(silenceMs, abortSignal as AbortSignal | undefined);
      try {
        const asked = dispatcher.request({
          ...targetOf(request),
          method: request.method as 'GET',
          headers: request.headers,
          body: bodyOf(request.body, silence.restart),
          signal: silence.signal,
        });
        const { statusCode, headers, body } = await Promise.race([asked, silence.aborted]);
        const said = Date.parse(String(headers.date));
        if (!Number.isNaN(said)) aheadMs = said - Date.now();
        silence.endTimer();
        body.once('close', silence.end);
        return { response: { statusCode, headers: flat(headers), body } };
      } catch (error) {
        silence.end();
        throw asSdkError(error, abortSignal as AbortSignal | undefined);
      }
    },
    destroy: () => void dispatcher.destroy().catch(() => undefined),
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig() {},
    serverNowMs: () => Date.now() + aheadMs,
  };
}

interface Silence {
  readonly signal: AbortSignal;
  /** Rejects when the request has to end: undici itself ends one that waits for a connection only when that is up. */
  readonly aborted: Promise<never>;
  /** Something was sent. */
  restart(): void;
  /** The answer has begun. */
  endTimer(): void;
  /** The answer has ended. */
  end(): void;
}

/**
 * Ends a request whose server neither takes anything nor answers for too long; undici's own limit begins when the connection is up.
 */
function watchSilence(silenceMs: number, cancelled: AbortSignal | undefined): Silence {
  const abort = new AbortController();
  const follow = (): void => abort.abort(cancelled?.reason);
  if (cancelled?.aborted === true) follow();
  cancelled?.addEventListener('abort', follow, { once: true });
  const late = new Error(`it was silent for ${silenceMs / 1000} s`);
  const timer = setTimeout(() => abort.abort(late), silenceMs);
  const aborted = new Promise<never>((_, fail) => {
    abort.signal.addEventListener('abort', () => fail(abort.signal.reason), { once: true });
    if (abort.signal.aborted) fail(abort.signal.reason);
  });
  aborted.catch(() => undefined);
  return {
    signal: abort.signal,
    aborted,
    restart: () => void timer.refresh(),
    endTimer: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      cancelled?.removeEventListener('abort', follow);
    },
  };
}

function targetOf({ protocol, hostname, port, path, query = {} }: SdkRequest): { origin: string; path: string } {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) =>
      one === null ? escaped(name) : `${escaped(name)}=${escaped(one)}`,
    ),
  );
  const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
  return { origin, path: `${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}` };
}

/** As it is signed. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function bodyOf(body: unknown, onPiece: () => void): Readable | Uint8Array | string | null {
  if (!(body instanceof Uint8Array)) return typeof body === 'string' ? body : null;
  return body.length <= PIECE_BYTES ? body : Readable.from(piecesOf(body, onPiece));
}

function* piecesOf(body: Uint8Array, onPiece: () => void): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    onPiece();
    yield body.subarray(at, at + PIECE_BYTES);
  }
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** The SDK knows by the name which failures may be tried again. */
function asSdkError(error: unknown, signal: AbortSignal | undefined): Error {
  const { message, code } = error as NodeJS.ErrnoException;
  const failure = new Error(code ?? message, { cause: error });
  failure.name = signal?.aborted === true ? 'AbortError' : 'TimeoutError';
  return failure;
}
