import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_HEADER_BYTES, SIGNALING_PATH } from '../limits.ts';
import { type HttpRefusal, isRelayPath } from './relay/admission.ts';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Of the request, without its query. */
  readonly path: string;
}

/** Who takes the WebSockets, by what they are for. */
export interface UpgradeHandlers {
  signaling(upgrade: Upgrade): void;
  relay(upgrade: Upgrade): void;
}

/** The HTTP around the WebSockets: `/healthz`, the upgrades at their paths, and a short answer to everything else. */
export function createHttpServer(requestMs: number, handlers: UpgradeHandlers): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: requestMs / 4,
      keepAliveTimeout: requestMs,
    },
    answer,
  );
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const path = pathOf(request);
    if (path === SIGNALING_PATH) handlers.signaling({ request, socket, head, path });
    else if (isRelayPath(path)) handlers.relay({ request, socket, head, path });
    else refuseUpgrade(socket, ['404 Not Found', `Signaling is at ${SIGNALING_PATH}.`]);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuseUpgrade(socket, ['400 Bad Request', 'This is not an HTTP request.']);
  });
  return server;
}

/** Answers an upgrade with an HTTP status instead, and closes the socket once that is out. */
export function refuseUpgrade(socket: Duplex, [status, text]: HttpRefusal): void {
  const body = `${text}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { status, text, headers } = answerFor(request);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close', ...headers });
  // A body, however long, is of no interest: the connection goes as soon as the answer is out.
  response.end(request.method === 'HEAD' ? undefined : `${text}\n`, () => request.destroy());
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answerFor(request: IncomingMessage): Answer {
  const path = pathOf(request);
  if (path === SIGNALING_PATH || isRelayPath(path)) {
    const headers = { Upgrade: 'websocket' };
    return { status: 426, text: 'This is a model-rtc signaling server: it speaks WebSocket here.', headers };
  }
  if (path !== '/healthz') return { status: 404, text: 'Not found.' };
  if (request.method === 'GET' || request.method === 'HEAD') return { status: 200, text: 'ok' };
  return { status: 405, text: 'Use GET.', headers: { Allow: 'GET, HEAD' } };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}
