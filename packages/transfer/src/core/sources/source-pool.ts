import type { ModelRtcError } from '@model-rtc/protocol';
import type { ChunkSource } from './source.ts';

/** What happened to a pool. */
export type PoolChange =
  | { readonly type: 'added'; readonly source: ChunkSource }
  /** `error` says why, when it did not go in good order. The transfer removes the sources that it gives up, too. */
  | { readonly type: 'removed'; readonly source: ChunkSource; readonly error: ModelRtcError | undefined }
  | { readonly type: 'ended'; readonly error: ModelRtcError | undefined };

/**
 * The sources of a transfer, which may come and go while it runs. Until the pool is ended, having none is waiting for
 * one; in an ended pool the last one's end is the end of the transfer.
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

  /** One that comes when the pool is ended already, as a connection may that was under way, is not taken. */
  add(source: ChunkSource): void {
    if (this.#ended || this.#sources.has(source)) return;
    this.#sources.add(source);
    this.#tell({ type: 'added', source });
  }

  /** What the source was asked for goes to the others. One that is not there is ignored. */
  remove(source: ChunkSource, error?: ModelRtcError): void {
    if (this.#sources.delete(source)) this.#tell({ type: 'removed', source, error });
  }

  /**
   * No more sources will come; those that are there stay.
   *
   * @param error - what the transfer ends with when no source is left, in place of the last source's own error.
   */
  end(error?: ModelRtcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#tell({ type: 'ended', error });
  }

  /** @returns what ends the listening. */
  onChange(listener: (change: PoolChange) => void): () => void {
    // Of its own, so that the same function may listen twice.
    const own = (change: PoolChange): void => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #tell(change: PoolChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** A list of sources is a pool to which nothing is added. */
export function poolOf(sources: readonly ChunkSource[] | SourcePool): SourcePool {
  if (sources instanceof SourcePool) return sources;
  const pool = new SourcePool();
  for (const source of sources) pool.add(source);
  pool.end();
  return pool;
}
