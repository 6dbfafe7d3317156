import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { type FileAnswer, otherPart, type ReadOptions } from '@model-rtc/http';
import { type Digest, sha256Digest, withoutUndefined } from '@model-rtc/protocol';
import type { FileHeaders } from '../format/paths.ts';
import { S3_ATTEMPTS } from '../limits.ts';
import type { RegistryStore } from '../store/types.ts';
import { requireEndpoint, type S3Address } from './address.ts';
import { type S3Request, s3Error } from './errors.ts';
import { createS3HttpHandler, type S3HttpHandler } from './http-handler.ts';
import type { S3Options } from './types.ts';

/** An object as a listing or a look at it gives it. */
export interface StoredObject {
  readonly bytes: number;
  /** In milliseconds since 1970, by the store's clock. */
  readonly writtenAtMs: number;
  readonly etag: string;
}

/** When to write: only where nothing is yet, only in place of this one, or always. */
export type WriteCondition = { readonly kind: 'absent' | 'always' } | { readonly kind: 'etag'; readonly etag: string };

const GONE = new Set(['NoSuchKey', 'NotFound']);

/** The objects of a registry in a bucket. Each call tries again by itself after failures that may pass. */
export class Bucket implements RegistryStore {
  readonly address: S3Address;
  readonly #client: S3Client;
  /** Leaves it to whoever reads to try again, as with all registries. */
  readonly #reader: S3Client;
  readonly #handler: S3HttpHandler;
  readonly #endpoint: string | undefined;

  private constructor(
    address: S3Address,
    clients: { readonly client: S3Client; readonly reader: S3Client },
    handler: S3HttpHandler,
    endpoint: string | undefined,
  ) {
    this.address = address;
    this.#client = clients.client;
    this.#reader = clients.reader;
    this.#handler = handler;
    this.#endpoint = endpoint;
  }

  /** Nothing is sent yet. @throws ModelRtcError `bad_argument` for a wrong endpoint, `refused` for a broken configuration */
  static async open(address: S3Address, options: S3Options): Promise<Bucket> {
    const { credentials, profile, env = {} } = options;
    const handler = createS3HttpHandler(env);
    const shared = {
      requestHandler: handler as never,
      maxAttempts: S3_ATTEMPTS,
      followRegionRedirects: true,
      // Every upload has its SHA-256 already; other checksums are not known to all stores.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      ...withoutUndefined({ credentials, profile }),
    } as const;
    const found = await configured(createClient(shared), address);
    const endpoint = options.endpoint || found.endpoint || undefined;
    const config = {
      ...shared,
      region: options.region || found.region || 'us-east-1',
      // Stores of others seldom have a name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint: requireEndpoint(endpoint), forcePathStyle: true }),
    };
    const clients = {
      client: createClient(config),
      // The second attempt is for a clock that is wrong.
      reader: createClient({ ...config, maxAttempts: 2 }),
    };
    return new Bucket(address, clients, handler, endpoint);
  }

  get url(): string {
    return this.address.url;
  }

  /** The store's clock, in milliseconds since 1970, as of its last answer. */
  nowMs(): number {
    return this.#handler.serverNowMs();
  }

  /** @returns undefined when it is not there */
  async head(path: string, signal: AbortSignal | undefined): Promise<StoredObject | undefined> {
    return await this.#ask('read', path, signal, async (Key, options) => {
      const { ContentLength, LastModified, ETag } = await this.#client.send(
        new HeadObjectCommand({ Bucket: this.address.bucket, Key }),
        options,
      );
      return stored(ContentLength, LastModified, ETag);
    });
  }

  /** Reads an object, as a file behind HTTP is read. */
  async read(path: string, { range, etag, signal }: ReadOptions = {}): Promise<FileAnswer> {
    const get = async (Key: string, options: SendOptions): Promise<FileAnswer> => {
      const output = await this.#reader.send(
        new GetObjectCommand({
          ...{ Bucket: this.address.bucket, Key, IfNoneMatch: etag },
          Range: range === undefined ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`,
        }),
        options,
      );
      const { Body, ContentLength, ContentRange, ETag, $metadata } = output;
      const [, from, total] = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16})$/.exec(ContentRange ?? '') ?? [];
      if ($metadata.httpStatusCode === 206 && (from === undefined || Number(from) !== range?.offset)) {
        throw otherPart(`${this.#endpoint ?? this.url}/${Key}`);
      }
      const body = this.#bodyOf(Body as AsyncIterable<Uint8Array> | undefined, path, signal);
      const totalBytes = from === undefined ? ContentLength : Number(total);
      return { kind: 'found', offset: Number(from ?? 0), totalBytes, etag: ETag, body };
    };
    const statuses = { 304: { kind: 'unchanged' }, 416: { kind: 'missing' } } as const;
    return (await this.#ask('read', path, signal, get, statuses)) ?? { kind: 'missing' };
  }

  /** @returns whether it was written; false when the condition does not hold */
  async put(path: string, bytes: Uint8Array, { condition, headers, hash, signal }: PutOptions): Promise<boolean> {
    const sha256 = hash ?? sha256Digest(bytes);
    const write = async (Key: string, options: SendOptions): Promise<boolean> => {
      const command = new PutObjectCommand({
        ...{ Bucket: this.address.bucket, Key, Body: bytes, ContentLength: bytes.length },
        ...{ ContentType: headers.contentType, CacheControl: headers.cacheControl },
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        IfNoneMatch: condition.kind === 'absent' ? '*' : undefined,
        IfMatch: condition.kind === 'etag' ? condition.etag : undefined,
      });
      // The signature covers the hash that is known; the SDK would work it out once more.
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
          return next(args);
        },
        { step: 'build' },
      );
      await this.#client.send(command, options);
      return true;
    };
    // 409: it is being written at this moment. What should be replaced may be gone, too.
    return (await this.#ask('write', path, signal, write, { 409: false, 412: false })) ?? false;
  }

  /** Makes an object's age begin anew, without its bytes. @returns false when it is not there any more */
  async touch(path: string, etag: string, headers: FileHeaders, signal: AbortSignal | undefined): Promise<boolean> {
    const copy = async (Key: string, options: SendOptions): Promise<boolean> => {
      const source = `${this.address.bucket}/${Key}`.split('/').map(encodeURIComponent).join('/');
      await this.#client.send(
        new CopyObjectCommand({
          ...{ Bucket: this.address.bucket, Key, CopySource: source, CopySourceIfMatch: etag },
          ...{ MetadataDirective: 'REPLACE', ContentType: headers.contentType, CacheControl: headers.cacheControl },
        }),
        options,
      );
      return true;
    };
    return (await this.#ask('write', path, signal, copy, { 412: false })) ?? false;
  }

  /** All objects whose names begin so, page by page. */
  async *list(path: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject & { readonly path: string }> {
    const { bucket, prefix } = this.address;
    let token: string | undefined;
    do {
      const from = token;
      const page = await this.#ask('list', path, signal, (Prefix, options) =>
        this.#client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken: from }), options),
      );
      for (const { Key, Size, LastModified, ETag } of page?.Contents ?? []) {
        if (Key?.startsWith(prefix)) yield { path: Key.slice(prefix.length), ...stored(Size, LastModified, ETag) };
      }
      token = page?.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async remove(path: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#ask('delete', path, signal, (Key, options) =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.address.bucket, Key }), options),
    );
  }

  /** @param answers - for statuses that are no errors here @returns undefined when there is no such object */
  async #ask<T>(
    action: S3Request['action'],
    path: string,
    signal: AbortSignal | undefined,
    send: (key: string, options: SendOptions) => Promise<T>,
    answers: Readonly<Record<number, T>> = {},
  ): Promise<T | undefined> {
    signal?.throwIfAborted();
    const key = `${this.address.prefix}${path}`;
    try {
      return await send(key, signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
      const status = $metadata?.httpStatusCode ?? 0;
      if (Object.hasOwn(answers, status)) return answers[status];
      if (GONE.has(name)) return undefined;
      throw s3Error(error, { bucket: this.address.bucket, endpoint: this.#endpoint, action, key }, signal);
    }
  }

  async *#bodyOf(
    body: AsyncIterable<Uint8Array> | undefined,
    path: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (body !== undefined) yield* body;
    } catch (error) {
      const key = `${this.address.prefix}${path}`;
      const failure = Object.assign(new Error((error as Error).message, { cause: error }), { name: 'TimeoutError' });
      throw s3Error(failure, { bucket: this.address.bucket, endpoint: this.#endpoint, action: 'read', key }, signal);
    }
  }
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

interface PutOptions {
  readonly condition: WriteCondition;
  readonly headers: FileHeaders;
  /** Of the bytes, if it is known. */
  readonly hash?: Digest | undefined;
  readonly signal: AbortSignal | undefined;
}

const NO_WARNING = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** On Node 20 the SDK warns that later versions of it need another Node. That is ours to know, not the user's: the version is fixed. */
function createClient(config: S3ClientConfig): S3Client {
  const before = process.env[NO_WARNING];
  process.env[NO_WARNING] = 'true';
  try {
    return new S3Client(config);
  } finally {
    if (before === undefined) delete process.env[NO_WARNING];
    else process.env[NO_WARNING] = before;
  }
}

/** What the environment and the profile say; a client that nothing is sent with knows where they are. */
async function configured(
  client: S3Client,
  { bucket }: S3Address,
): Promise<{ region: string | undefined; endpoint: string | undefined }> {
  try {
    const region = await client.config.region().catch(() => undefined);
    return { region, endpoint: await client.config.serviceConfiguredEndpoint?.() };
  } catch (error) {
    throw s3Error(error, { bucket, endpoint: undefined, action: 'read', key: '' }, undefined);
  }
}

function stored(bytes: number | undefined, at: Date | undefined, etag: string | undefined): StoredObject {
  // What has no time is as young as can be, so that it is not removed.
  return { bytes: bytes ?? 0, writtenAtMs: at?.getTime() ?? Number.POSITIVE_INFINITY, etag: etag ?? '' };
}
