import { bytesInModel, type Layout, sizeOf } from '../layout/layout.ts';
import type { ChunkSource } from '../sources/source.ts';
import type { SourceBytes } from './progress.ts';

/** Counts where the bytes of a model came from. */
export class Tally {
  readonly totalBytes: number;
  doneBytes = 0;
  reusedBytes = 0;
  resumedBytes = 0;
  transferredBytes = 0;
  hashedBytes = 0;
  refetchedChunks = 0;
  /** Grows with every change. */
  version = 0;
  readonly #layout: Layout;
  readonly #resumed = new Set<number>();
  readonly #bySource = new Map<ChunkSource, number>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.totalBytes = layout.totalBytes;
  }

  /** An earlier attempt had written the chunk. */
  resumed(id: number): void {
    const bytes = bytesInModel(this.#layout, id);
    this.#resumed.add(id);
    this.resumedBytes += bytes;
    this.#done(bytes);
  }

  /** A source gave the chunk; more places of it in the model cost nothing. */
  fetched(id: number, source: ChunkSource): void {
    const size = sizeOf(this.#layout, id);
    const bytes = bytesInModel(this.#layout, id);
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + size);
    if (source.kind === 'peer') this.transferredBytes += size;
    this.reusedBytes += source.kind === 'peer' ? bytes - size : bytes;
    this.#done(bytes);
  }

  /** A chunk that was done is not right on the disk. */
  lost(id: number): void {
    const bytes = bytesInModel(this.#layout, id);
    if (this.#resumed.delete(id)) this.resumedBytes -= bytes;
    this.refetched();
    this.#done(-bytes);
  }

  refetched(): void {
    this.refetchedChunks++;
    this.version++;
  }

  hashed(bytes: number): void {
    this.hashedBytes += bytes;
    this.version++;
  }

  bytesPerSource(): SourceBytes[] {
    return [...this.#bySource].map(([{ name }, bytes]) => ({ name, bytes }));
  }

  #done(bytes: number): void {
    this.doneBytes += bytes;
    this.version++;
  }
}
