import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';

export interface AskedFile {
  readonly path: string;
  readonly range: string | undefined;
  readonly etag: string | undefined;
  /** Which connection it came over. */
  readonly port: number | undefined;
}

/** What a server does in place of an honest answer; false for an honest one. */
export type Misbehave = (
  asked: AskedFile,
  response: ServerResponse,
  bytes: Buffer,
  times: number,
) => boolean | Promise<boolean>;

export interface FileServer {
  readonly url: string;
  readonly asked: AskedFile[];
  misbehave: Misbehave;
  close(): Promise<void>;
}

const servers: FileServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A real HTTP server of the files in a folder, with ranges and ETags, which can be told to misbehave. */
export async function serveFolder(folder: string): Promise<FileServer> {
  const server = createServer((request, response) => {
    answer(folder, request, response, scene).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scene: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`,
    asked: [],
    misbehave: () => false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  servers.push(scene);
  return scene;
}

async function answer(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  scene: FileServer,
): Promise<void> {
  const path = (request.url ?? '').replace(/^\/models\//, '');
  const asked = {
    ...{ path, range: request.headers.range, etag: request.headers['if-none-match'] },
    port: request.socket.remotePort,
  };
  scene.asked.push(asked);
  const bytes = await readFile(join(folder, path)).catch(() => undefined);
  const times = scene.asked.filter((other) => other.path === path).length;
  if (await scene.misbehave(asked, response, bytes ?? Buffer.alloc(0), times)) return;
  if (bytes === undefined) return end(response, 404);
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  if (asked.etag === etag) return end(response, 304, { etag });
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(asked.range ?? '') ?? [];
  if (from === undefined) return end(response, 200, { etag, 'content-length': bytes.length }, bytes);
  const part = bytes.subarray(Number(from), Number(to) + 1);
  if (part.length === 0) return end(response, 416);
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
  end(response, 206, { etag, 'content-range': range, 'content-length': part.length }, part);
}

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number> = {},
  body?: Buffer,
): void {
  response.writeHead(status, headers);
  response.end(body);
}
