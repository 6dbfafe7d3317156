import { MAX_BODY_BYTES } from '../limits.ts';
import { HttpError } from './problems.ts';
import type { Asked } from './types.ts';

/** Answers with JSON, and without its text where only the head is wanted. */
export function sendJson(
  { response, method }: Pick<Asked, 'response' | 'method'>,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendText({ response, method }, status, `${JSON.stringify(value)}\n`, {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
  });
}

export function sendText(
  { response, method }: Pick<Asked, 'response' | 'method'>,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { 'cache-control': 'no-cache', ...headers, 'content-length': bytes.length });
  response.end(method === 'HEAD' ? undefined : bytes);
}

/** @throws HttpError 400 for what is no JSON, 413 for a long one */
export async function readJsonBody({ request }: Asked): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES)
      throw new HttpError(413, 'bad_argument', 'The body is too long.', { headers: { connection: 'close' } });
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch (cause) {
    throw HttpError.because(cause, 400, 'bad_argument', 'The body is not JSON.');
  }
}
