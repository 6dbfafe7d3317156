import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendFile } from './answers.ts';
import type { LocalHub } from './hub-server.ts';
import type { Repository } from './repository.ts';

/** How often each signature was used. */
const uses = new Map<string, number>();
let made = 0;

/** An address of a large file that is good for as many requests as the hub says. */
export function signedAddress(hub: LocalHub, { name }: Repository, sha256: string): string {
  const signature = createHash('sha256').update(`${hub.url} ${name} ${sha256} ${made++}`).digest('hex');
  uses.set(signature, 0);
  const query = new URLSearchParams({ 'X-Amz-Expires': '3600', 'X-Amz-Signature': signature, repo: name });
  return `${hub.storageUrl}/lfs/${sha256}?${query}`;
}

/** The storage of large files, at another address. It takes signed addresses and nothing else. */
export async function answerStorage(hub: LocalHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', hub.storageUrl);
  const signature = url.searchParams.get('X-Amz-Signature') ?? '';
  const used = uses.get(signature);
  const file = hub.repositories
    .get(url.searchParams.get('repo') ?? '')
    ?.largeFile(url.pathname.split('/').at(-1) ?? '');
  if (used === undefined || used >= hub.signedFor || request.headers.authorization !== undefined) {
    const text = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
    response.writeHead(403, { 'content-type': 'application/xml' }).end(text);
    return;
  }
  uses.set(signature, used + 1);
  if (file === undefined) response.writeHead(404).end();
  else await sendFile(request, response, file, { etag: `"${file.sha256.slice(0, 32)}"` });
}
