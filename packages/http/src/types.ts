import type { Clock } from '@model-rtc/protocol';

/** The part of `fetch` that is used here; that of Node, of undici or of a browser. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly signal: AbortSignal;
  readonly redirect: 'follow' | 'manual';
}

export interface FetchResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: ResponseHeaders;
  readonly body: AsyncIterable<Uint8Array> | ReadableBody | null;
}

export interface ResponseHeaders {
  get(name: string): string | null;
}

export interface ReadableBody {
  getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>; cancel(): Promise<void> };
}

/** What requests are sent with. */
export interface HttpClient {
  readonly fetch: Fetch;
  readonly clock?: Clock | undefined;
  /** The time of day, for a `Retry-After` that names one. */
  readonly now?: (() => Date) | undefined;
  /** How long to wait for the head of an answer, and for the next bytes of its body. */
  readonly headTimeoutMs?: number | undefined;
  readonly bodyGapMs?: number | undefined;
}

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only this part of the file. A server that cannot send parts answers with all of it. */
  readonly range?: ByteRange | undefined;
  /** What the file was tagged with before: answers `unchanged` if it still is. */
  readonly etag?: string | undefined;
}

/** An answer to a request for a file. */
export type FileAnswer =
  | {
      readonly kind: 'found';
      /** Where in the file the body begins: at 0 where a server does not send parts. */
      readonly offset: number;
      /** The bytes of the whole file, if the server says so. */
      readonly totalBytes: number | undefined;
      readonly etag: string | undefined;
      /** Read it to its end or leave it: both end the request. Throws `network` or `timeout` when it breaks off. */
      readonly body: AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'missing' };

/** A file that is read from somewhere else. */
export interface RemoteFile {
  /** Its address, for messages. */
  readonly url: string;
  /**
   * One attempt to read it.
   * @throws ModelRtcError `network`, `timeout`; `busy` with `details.retryAfterMs` when it asks to wait; `refused`; `storage`
   */
  read(options: ReadOptions): Promise<FileAnswer>;
}
