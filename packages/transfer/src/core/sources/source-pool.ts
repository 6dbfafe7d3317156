import type { ModelRtcError } from '@model-rtc/protocol';
import type { ChunkSource } from './source.ts';

/** What happened to a pool. */
export type PoolChange =
  | { readonly type: 'added'; readonly source: ChunkSource }
  /** `error` says why, unless the source left in good order. The transfer also removes the sources that it gives up. */
  | { readonly type: 'removed'; readonly source: ChunkSource; readonly error: ModelRtcError | undefined }
  | { readonly type: 'ended'; readonly error: ModelRtcError | undefined };

/**
 * The sources of a transfer, which may come and go while it runs. A transfer whose pool is empty waits for a source, until the
 * pool is ended; in an ended pool the transfer ends with the last source.
 */
export class SourcePool {
  readonly #sources = new Set<ChunkSource>();
  readonly #listeners = new Set<(change: PoolChange) => void>();
  #ended = false;
  #error: ModelRtcError | undefined;

  get sources(): readonly ChunkSource[] {
    return [...this.#sources];
  }

  /** Whether no more sources will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What `end` was called with. */
  get error(): ModelRtcError | undefined {
    return this.#error;
  }

  /** Ignores a source that comes after the end, from a connection that was under way. */
  add(source: ChunkSource): void {
    if (this.#ended || this.#sources.has(source)) return;
    this.#sources.add(source);
    this.#tell({ type: 'added', source });
  }

  /** The others get what this source was asked for. A source that is not there is ignored. */
  remove(source: ChunkSource, error?: ModelRtcError): void {
    if (this.#sources.delete(source)) this.#tell({ type: 'removed', source, error });
  }

  /**
   * No more sources will come; those that are there stay.
   *
   * @param error - the error of the transfer when no source is left, instead of the last source's own
   */
  end(error?: ModelRtcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#tell({ type: 'ended', error });
  }

  /** @returns a function that stops listening */
  onChange(listener: (change: PoolChange) => void): () => void {
    // Wrapped, so that the same function may listen twice.
    const own = (change: PoolChange): void => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #tell(change: PoolChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Makes a list of sources an ended pool. */
export function poolOf(sources: readonly ChunkSource[] | SourcePool): SourcePool {
  if (sources instanceof SourcePool) return sources;
  const pool = new SourcePool();
  for (const source of sources) pool.add(source);
  pool.end();
  return pool;
}
