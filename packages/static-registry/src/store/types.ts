/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only this part of the file. A store that cannot send parts answers with all of it. */
  readonly range?: ByteRange | undefined;
  /** What the file was tagged with before: answers `unchanged` if it still is. */
  readonly etag?: string | undefined;
}

/** An answer of a store. */
export type StoreAnswer =
  | {
      readonly kind: 'found';
      /** Where in the file the body begins: at 0 where a store does not send parts. */
      readonly offset: number;
      /** The bytes of the whole file, if the store says so. */
      readonly totalBytes: number | undefined;
      readonly etag: string | undefined;
      /** Read it to its end or leave it: both end the request. Throws `network` or `timeout` when it breaks off. */
      readonly body: AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'missing' };

/** Where the files of a static registry are. Each call is one attempt. */
export interface RegistryStore {
  /** The registry's address, without a slash at its end, a password or a query. */
  readonly url: string;
  /**
   * Reads a file of the registry, `models.json` or one in `data/`.
   * @throws ModelRtcError `network`, `timeout`; `busy` with `details.retryAfterMs` when it asks to wait; `refused`; `storage`
   */
  read(path: string, options?: ReadOptions): Promise<StoreAnswer>;
}
