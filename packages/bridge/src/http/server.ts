import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import { HEADERS_MS, KEEP_ALIVE_MS, MAX_CONNECTIONS, MAX_HEADER_BYTES, REQUEST_MS } from '../limits.ts';
import { type GuardOptions, letIn } from './guard.ts';
import { sendJson } from './json.ts';
import { HttpError, problemOf } from './problems.ts';
import { parseTarget, type Target } from './target.ts';
import type { Api, Asked } from './types.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly guard: GuardOptions;
  /** The API of a path, and whether it is answered without a token. */
  readonly route: (path: readonly string[]) => { readonly api: Api; readonly isOpen: boolean };
  readonly onAnswered: (api: string, status: number) => void;
  readonly log: Log;
}

export interface RunningHttpServer {
  readonly port: number;
  readonly connections: () => number;
  /** Cuts what is being sent. */
  close(): Promise<void>;
}

/** @throws ModelRtcError `network` when the port is taken or the address is none of this machine */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEADERS_MS / 4,
    // What follows a file goes out at once, and the last bytes of one do not wait for an acknowledgement.
    noDelay: true,
  });
  server.maxConnections = MAX_CONNECTIONS;
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => connections--);
  });
  server.on('request', (request, response) => void answer(request, response, options));
  // Neither is spoken here; without a listener Node would keep such a connection, or cut it without a word.
  server.on('upgrade', (_request, socket) => socket.end(refusal('426 Upgrade Required')));
  server.on('connect', (_request, socket) => socket.end(refusal('405 Method Not Allowed')));
  server.on('checkContinue', (request, response) => void answer(request, response, options));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(refusal(CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'), () => socket.destroy());
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function refusal(status: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}

async function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} is in use. Choose another with --http-port.`;
      const sentence =
        error.code === 'EADDRINUSE'
          ? taken
          : `The HTTP bridge cannot listen at ${host}, port ${port}: ${error.message}.`;
      reject(new ModelRtcError('network', sentence, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('server', 'model-rtc');
  const method = request.method ?? '';
  let api: Api | undefined;
  try {
    requireNoBody(request);
    const target = parseTarget(request.url);
    const { api: found, isOpen } = options.route(target.path);
    const asked = ask(request, response, target, { ...options.guard, ...(isOpen ? { token: undefined } : {}) });
    api = found;
    await found.answer({ ...asked, method, signal: gone.signal });
  } catch (error) {
    fail({ response, method }, error, api, options);
  } finally {
    options.onAnswered(api?.name ?? 'none', response.statusCode);
  }
}

function ask(request: IncomingMessage, response: ServerResponse, target: Target, guard: GuardOptions) {
  return { request, response, ...target, origin: letIn(request, guard) };
}

/**
 * Only POST has a body. One behind another method would be read as the next request by a proxy that thinks otherwise than Node,
 * so such a request is the last of its connection.
 */
function requireNoBody({ method, headers }: IncomingMessage): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (method === 'POST' || !hasBody) return;
  throw new HttpError(400, 'bad_argument', `${method} takes no body.`, { headers: { connection: 'close' } });
}

function fail(
  asked: Pick<Asked, 'response' | 'method'>,
  thrown: unknown,
  api: Api | undefined,
  { log }: HttpServerOptions,
): void {
  const { response } = asked;
  const problem = problemOf(thrown);
  const { status, headers, cause } = problem;
  // What is busy is counted in the metrics: a line for each refusal would fill the log.
  if (cause !== undefined && cause.code !== 'cancelled' && cause.code !== 'busy' && status >= 500) {
    log.warn({ status, code: cause.code }, `A request over HTTP failed: ${cause.message}`);
  }
  // The client sees that the length which was promised did not come.
  if (response.headersSent) return void response.destroy();
  const described = api?.describe(problem) ?? { body: { error: problem.message } };
  // Whoever sent what is no request may have more of that behind it.
  const end = status === 400 ? { connection: 'close' } : {};
  sendJson(asked, status, described.body, { ...end, ...headers, ...described.headers });
}
