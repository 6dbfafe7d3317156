import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { bytesOf, type StoredFile } from './contents.ts';

export function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text);
}

/** An error as the hub says it: the cause is in a header. */
export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'x-error-code': code,
    'x-error-message': message,
    'x-request-id': 'Root=1-local',
  });
  response.end(JSON.stringify({ error: message }));
}

/** A file, or the part of it that was asked for. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StoredFile,
  headers: Record<string, string>,
): Promise<void> {
  const { size } = file;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const from = Number(first ?? 0);
  const to = Math.min(size, last === undefined || last === '' ? size : Number(last) + 1);
  if (first !== undefined && from >= size) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  const range = first === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${size}` };
  response.writeHead(first === undefined ? 200 : 206, {
    ...{ 'accept-ranges': 'bytes', 'content-length': String(to - from), ...range },
    ...headers,
  });
  if (request.method === 'HEAD') response.end();
  // A client that leaves in the middle is no error.
  else await pipeline(bytesOf(file, from, to), response).catch(() => {});
}
