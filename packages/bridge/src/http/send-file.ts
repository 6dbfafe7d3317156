import type { ServerResponse } from 'node:http';
import { basename } from 'node:path/posix';
import { ModelRtcError } from '@model-rtc/protocol';
import contentDisposition from 'content-disposition';
import { STALLED_CLIENT_MS } from '../limits.ts';
import type { FileBytes, ModelFile } from '../types.ts';
import type { Pieces } from './pieces.ts';
import { HttpError } from './problems.ts';
import { wantedBytes } from './range.ts';
import type { Asked } from './types.ts';

export interface SendFileOptions {
  readonly file: ModelFile;
  /** Headers of the API. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Opens the file, once it is clear that its bytes are wanted. */
  readonly open: () => Promise<FileBytes>;
  readonly pieces: Pieces;
  /** Called with each piece's length as the network takes it. */
  readonly onSent: (bytes: number) => void;
  /** Called when the network begins to take a piece, and when it has it. */
  readonly onWriting?: ((isWriting: boolean) => void) | undefined;
}

/**
 * Answers a request for a file: whole, in part, or with what it needs to know that it has it.
 * @throws HttpError 412, 416; ModelRtcError as opening does. Once the head is out it throws only to have the connection cut.
 */
export async function sendFile(asked: Asked, options: SendFileOptions): Promise<void> {
  const { request, response, method } = asked;
  const { file } = options;
  const etag = `"${file.sha256}"`;
  const headers = { ...headersOf(file, etag), ...options.headers };
  const wanted = wantedBytes(method, request.headers, file.size, etag);
  if (wanted.kind === 'failed') throw new HttpError(412, 'bad_argument', 'The file is another one.');
  if (wanted.kind === 'unsatisfiable') {
    const range = { ...options.headers, 'content-range': `bytes */${file.size}` };
    throw new HttpError(416, 'bad_argument', `The file has ${file.size} bytes.`, { headers: range });
  }
  if (wanted.kind === 'unchanged') return void response.writeHead(304, headers).end();
  const isPart = wanted.kind === 'part';
  const [start, end] = isPart ? [wanted.start, wanted.end + 1] : [0, file.size];
  if (method === 'HEAD') return void response.writeHead(200, { ...headers, 'content-length': file.size }).end();
  await using bytes = disposable(await options.open());
  // So that a model which cannot be read is refused with a status, and not cut off.
  const first = await readFirst(bytes, start, end, options.pieces, asked.signal);
  const range = isPart ? { 'content-range': `bytes ${start}-${end - 1}/${file.size}` } : {};
  response.writeHead(isPart ? 206 : 200, { ...headers, ...range, 'content-length': end - start });
  await stream(asked, bytes, first, { start, end }, options);
  response.end();
}

function headersOf({ path, sha256 }: ModelFile, etag: string): Record<string, string> {
  const digest = Buffer.from(sha256, 'hex').toString('base64');
  return {
    'accept-ranges': 'bytes',
    etag,
    // Also checked by aria2c, with the older of the two names (RFC 3230, RFC 9530).
    digest: `SHA-256=${digest}`,
    'repr-digest': `sha-256=:${digest}:`,
    'content-type': 'application/octet-stream',
    'content-disposition': contentDisposition(basename(path)),
    'cache-control': 'private, no-cache',
  };
}

function disposable(bytes: FileBytes): FileBytes & AsyncDisposable {
  return { read: bytes.read, close: bytes.close, [Symbol.asyncDispose]: () => bytes.close() };
}

interface FilledPiece {
  readonly piece: Buffer;
  readonly length: number;
}

async function readFirst(
  bytes: FileBytes,
  start: number,
  end: number,
  pieces: Pieces,
  signal: AbortSignal,
): Promise<FilledPiece | undefined> {
  return start === end ? undefined : await readPiece(bytes, start, end, pieces, signal);
}

async function readPiece(
  bytes: FileBytes,
  at: number,
  end: number,
  pieces: Pieces,
  signal: AbortSignal,
): Promise<FilledPiece> {
  const piece = pieces.take();
  try {
    return { piece, length: await bytes.read(at, piece.subarray(0, Math.min(piece.length, end - at)), signal) };
  } catch (error) {
    pieces.giveBack(piece);
    throw error;
  }
}

/** Reads the next piece while the network takes the one before it: two are in memory. */
async function stream(
  { response, signal }: Asked,
  bytes: FileBytes,
  first: FilledPiece | undefined,
  { start, end }: { readonly start: number; readonly end: number },
  { pieces, onSent, onWriting = () => {} }: SendFileOptions,
): Promise<void> {
  let at = start;
  for (let filled = first; filled !== undefined; ) {
    const { piece, length } = filled;
    at += length;
    onWriting(true);
    const sent = write(response, piece.subarray(0, length), signal).finally(() => onWriting(false));
    const next = at < end ? readPiece(bytes, at, end, pieces, signal) : Promise.resolve(undefined);
    const [written, following] = await Promise.allSettled([sent, next]);
    const nextPiece = following.status === 'fulfilled' ? following.value : undefined;
    if (written.status === 'rejected') {
      // The network may still have it in its hands.
      pieces.forget(piece);
      if (nextPiece !== undefined) pieces.giveBack(nextPiece.piece);
      throw written.reason;
    }
    pieces.giveBack(piece);
    onSent(length);
    if (following.status === 'rejected') throw following.reason;
    filled = nextPiece;
  }
}

/** @throws ModelRtcError `cancelled` when the client is gone, or takes nothing */
async function write(response: ServerResponse, bytes: Buffer, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const gone = (): void => reject(new ModelRtcError('cancelled', 'The client is gone.'));
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    // Node then cuts the connection. It counts what the network takes as life, so that a slow client is no stalled one.
    response.setTimeout(STALLED_CLIENT_MS);
    response.write(bytes, (error) => {
      response.setTimeout(0);
      signal.removeEventListener('abort', gone);
      if (error) gone();
      else resolve();
    });
  });
}
