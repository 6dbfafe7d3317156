import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Refusal, refusalOf, type S3Key, sha256 } from './signature.ts';

export const REGION = 'eu-test-1';
export const BUCKET = 'models';
export const KEY: S3Key = { accessKeyId: 'AKIATEST', secretAccessKey: 'a secret with / and +' };

export interface S3Object {
  readonly bytes: Buffer;
  readonly etag: string;
  writtenAtMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A request that came, with its key in the bucket; `''` for a listing. */
export interface S3Ask {
  readonly method: string;
  readonly key: string;
  readonly headers: IncomingMessage['headers'];
  /** Whether it is a copy of an object onto itself. */
  readonly isCopy: boolean;
}

export interface S3ServerOptions {
  readonly keys?: readonly S3Key[];
  /** Whether whoever knows an object's address may read it. */
  readonly isPublic?: boolean;
  /** `ignored`: a store that takes no notice of conditions of writes; `refused`: one that says that it does not know them. */
  readonly conditions?: 'kept' | 'ignored' | 'refused';
  /** How far its clock is ahead of this machine's. */
  readonly aheadMs?: number;
  readonly pageSize?: number;
  /** `ignored`: whole objects for parts; `unsaid`: parts, without saying which; `shifted`: others than were asked for. */
  readonly ranges?: 'kept' | 'ignored' | 'unsaid' | 'shifted';
  /** Looks at each request that is signed well; answers with a refusal, or with nothing when the request may go on. */
  readonly before?: (ask: S3Ask) => Refusal | undefined | Promise<Refusal | undefined>;
}

export interface S3Server {
  readonly url: string;
  /** By their keys. */
  readonly objects: Map<string, S3Object>;
  /** All requests that came, refused ones too. */
  readonly asks: S3Ask[];
  put(key: string, bytes: Buffer | string, ageMs?: number): void;
  close(): Promise<void>;
}

interface Incoming {
  readonly ask: S3Ask;
  readonly bucket: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** A store that speaks S3 with one bucket, in memory. It checks every signature, checksum and condition as S3 does. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const objects = new Map<string, S3Object>();
  const asks: S3Ask[] = [];
  const nowMs = () => Date.now() + (options.aheadMs ?? 0);
  const server = createServer((request, response) => {
    response.sendDate = false;
    response.setHeader('Date', new Date(nowMs()).toUTCString());
    handle(request, response).catch(() => response.destroy());
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const incoming = await readRequest(request);
    // A request that broke off changes nothing.
    if (incoming === undefined) return;
    asks.push(incoming.ask);
    const refusal = permission(request, incoming, options, nowMs()) ?? (await options.before?.(incoming.ask));
    const { status, headers, body } =
      refusal === undefined ? answer(incoming, { objects, options, nowMs: nowMs() }) : refused(refusal);
    response.writeHead(status, headers).end(incoming.ask.method === 'HEAD' ? undefined : body);
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    asks,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
    put(key, content, ageMs = 0) {
      objects.set(key, objectOf(Buffer.from(content), {}, nowMs() - ageMs));
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<Incoming | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request) pieces.push(piece as Buffer);
  } catch {
    return undefined;
  }
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://s3');
  const [, bucket = '', ...rest] = pathname.split('/').map(decodeURIComponent);
  const { method = '', headers } = request;
  const ask = { method, key: rest.join('/'), headers, isCopy: headers['x-amz-copy-source'] !== undefined };
  return { ask, bucket, query, body: Buffer.concat(pieces) };
}

function permission(
  request: IncomingMessage,
  { ask, bucket, body }: Incoming,
  { keys = [KEY], isPublic = false, conditions = 'kept' }: S3ServerOptions,
  nowMs: number,
): Refusal | undefined {
  const { method, headers, key } = ask;
  const isRead = (method === 'GET' || method === 'HEAD') && key !== '';
  if (!(isPublic && isRead && headers.authorization === undefined)) {
    const signed = { method, url: request.url ?? '', headers, bodySha256: sha256(body) };
    const refusal = refusalOf(signed, { keys, region: REGION, nowMs });
    if (refusal !== undefined) return refusal;
  }
  if (bucket !== BUCKET) return { status: 404, code: 'NoSuchBucket', message: 'The specified bucket does not exist' };
  const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
  if (method === 'PUT' && isConditional && conditions === 'refused') {
    const message = 'A header you provided implies functionality that is not implemented';
    return { status: 501, code: 'NotImplemented', message };
  }
  return undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer;
}

interface State {
  readonly objects: Map<string, S3Object>;
  readonly options: S3ServerOptions;
  readonly nowMs: number;
}

function answer(incoming: Incoming, state: State): Answer {
  const { ask, query } = incoming;
  if (ask.method === 'PUT') return ask.isCopy ? copy(incoming, state) : put(incoming, state);
  if (ask.method === 'DELETE') {
    state.objects.delete(ask.key);
    return { status: 204, headers: {} };
  }
  return query.get('list-type') === '2' ? list(query, state) : read(incoming, state);
}

function put(incoming: Incoming, { objects, options, nowMs }: State): Answer {
  const { ask, body } = incoming;
  const { key, headers } = ask;
  const known = objects.get(key);
  const failed = { status: 412, code: 'PreconditionFailed', message: 'At least one of the conditions did not hold' };
  if (options.conditions !== 'ignored') {
    if (headers['if-none-match'] === '*' && known !== undefined) return refused(failed);
    if (headers['if-match'] !== undefined && known === undefined) return refused(NO_KEY);
    if (headers['if-match'] !== undefined && headers['if-match'] !== known?.etag) {
      return refused(failed);
    }
  }
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum !== undefined && checksum !== sha256(body, 'base64')) {
    return refused({ status: 400, code: 'BadDigest', message: 'The checksum is another one' });
  }
  const stored = objectOf(body, headersToKeep(headers), nowMs);
  objects.set(key, stored);
  return { status: 200, headers: { ETag: stored.etag } };
}

function copy(incoming: Incoming, { objects, nowMs }: State): Answer {
  const { headers, key } = incoming.ask;
  const source = decodeURIComponent(String(headers['x-amz-copy-source'])).replace(`${BUCKET}/`, '');
  const known = objects.get(source);
  if (known === undefined) return refused(NO_KEY);
  if (headers['x-amz-copy-source-if-match'] !== known.etag) {
    return refused({ status: 412, code: 'PreconditionFailed', message: 'It is another one' });
  }
  if (source === key && headers['x-amz-metadata-directive'] !== 'REPLACE') {
    return refused({ status: 400, code: 'InvalidRequest', message: 'It would change nothing' });
  }
  objects.set(key, objectOf(known.bytes, headersToKeep(headers), nowMs));
  const result = `<CopyObjectResult><ETag>${known.etag}</ETag></CopyObjectResult>`;
  return xml(200, result);
}

function read(incoming: Incoming, { objects, options: { ranges = 'kept' } }: State): Answer {
  const { key, headers } = incoming.ask;
  const found = objects.get(key);
  if (found === undefined) return refused(NO_KEY);
  const { bytes, etag } = found;
  const said = { ...found.headers, ETag: etag, 'Last-Modified': new Date(found.writtenAtMs).toUTCString() };
  if (headers['if-none-match'] === etag) {
    return { status: 304, headers: said };
  }
  const [, from, to] = ranges === 'ignored' ? [] : (/^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []);
  const start = Number(from ?? 0) + (ranges === 'shifted' ? 1 : 0);
  const end = Math.min(bytes.length, to === undefined ? bytes.length : Number(to) + 1);
  if (from !== undefined && start >= bytes.length) {
    return refused({ status: 416, code: 'InvalidRange', message: 'No such range' });
  }
  const range =
    from === undefined || ranges === 'unsaid' ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` };
  const status = from === undefined ? 200 : 206;
  return { status, headers: { ...said, ...range, 'Content-Length': end - start }, body: bytes.subarray(start, end) };
}

function list(query: URLSearchParams, { objects, options }: State): Answer {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? ''];
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, options.pageSize ?? 1000);
  const contents = page.map((key) => {
    const { bytes, etag, writtenAtMs } = objects.get(key) as S3Object;
    const at = new Date(writtenAtMs).toISOString();
    return `<Contents><Key>${key}</Key><LastModified>${at}</LastModified><ETag>${etag}</ETag><Size>${bytes.length}</Size></Contents>`;
  });
  const isCut = page.length < keys.length;
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return xml(
    200,
    `<ListBucketResult><IsTruncated>${isCut}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  );
}

const NO_KEY: Refusal = { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };

function refused({ status, code, message, more = {} }: Refusal): Answer {
  const parts = Object.entries({ Code: code, Message: message, ...more });
  return xml(status, `<Error>${parts.map(([name, text]) => `<${name}>${text}</${name}>`).join('')}</Error>`);
}

function xml(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

function objectOf(bytes: Buffer, headers: S3Object['headers'], writtenAtMs: number): S3Object {
  return { bytes, headers, writtenAtMs, etag: `"${createHash('md5').update(bytes).digest('hex')}"` };
}

function headersToKeep(headers: IncomingMessage['headers']): Record<string, string> {
  const kept = ['content-type', 'cache-control'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(kept);
}
