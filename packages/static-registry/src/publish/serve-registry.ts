import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { isDigest, ModelRtcError } from '@model-rtc/protocol';
import send from 'send';
import { DATA_HEADERS, LIST_PATH, NAMED_HEADERS, SIGNATURES_PATH } from '../format/paths.ts';

export interface ServeRegistryOptions {
  /** The registry's folder. */
  readonly folder: string;
  /** 0 for a free one. */
  readonly port: number;
  /** The address to listen on; all of this machine by default. */
  readonly host?: string | undefined;
  /** Called for each answer, with what was asked for, as it came. */
  readonly onAnswer?: ((answer: { method: string; path: string; status: number }) => void) | undefined;
}

export interface ServedRegistry extends AsyncDisposable {
  readonly port: number;
  /** Ends it, and the answers that are under way. */
  close(): Promise<void>;
}

/**
 * Serves a registry folder over HTTP, to read: its list of models with its signatures, which caches must ask for again, and its data, which never changes.
 * With ranges, ETags and HEAD. Nothing else of the folder can be reached.
 * @throws ModelRtcError `bad_argument` when it cannot listen there
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<ServedRegistry> {
  const root = resolve(options.folder);
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    response.on('close', () => options.onAnswer?.({ method, path: url, status: response.statusCode }));
    answer(root, request, response);
  });
  await listen(server, options);
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // Pages of any site may read what everybody can read.
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const path = servedPath(request.url ?? '');
  if (path === undefined) {
    response.writeHead(404).end();
    return;
  }
  const isNamed = path === LIST_PATH || path === SIGNATURES_PATH;
  const { contentType, cacheControl } = isNamed ? NAMED_HEADERS : DATA_HEADERS;
  send(request, path, { root, index: false, dotfiles: 'deny', cacheControl: false })
    .on('headers', (found: ServerResponse) => {
      found.setHeader('Content-Type', contentType);
      found.setHeader('Cache-Control', cacheControl);
    })
    .on('error', ({ status }: { status?: number }) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(status ?? 500, rangeOf(response)).end();
    })
    .on('directory', () => response.writeHead(404).end())
    .pipe(response);
}

/** How long the file is, of a range that it does not have. */
function rangeOf(response: ServerResponse): Record<string, string> {
  const range = response.getHeader('Content-Range');
  return range === undefined ? {} : { 'Content-Range': String(range) };
}

function servedPath(url: string): string | undefined {
  const path = (url.split(/[?#]/, 1)[0] ?? '').replace(/^\//, '');
  const [, hash] = /^data\/([^/]+)$/.exec(path) ?? [];
  return path === LIST_PATH || path === SIGNATURES_PATH || (hash !== undefined && isDigest(hash)) ? path : undefined;
}

async function listen(server: Server, { port, host }: ServeRegistryOptions): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ModelRtcError('bad_argument', 'A port is a number from 0 to 65535. Pass another --port.');
  }
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'Another program uses it' : error.message;
      fail(
        ModelRtcError.because(
          error,
          'bad_argument',
          `Cannot listen on port ${port}: ${why}. Choose another one with --port, or 0.`,
        ),
      );
    });
    server.listen(port, host, done);
  });
}
