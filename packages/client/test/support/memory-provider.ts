import { type Digest, type Manifest, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkSource, ModelProvider, ProvidedModel, ServeOptions } from '@model-rtc/transfer';

export interface MemoryModel {
  readonly entry: ModelEntry;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** The contents of its files, one after the other. */
  readonly bytes: Uint8Array;
}

/** A provider with no worker behind it and no connection: models in memory, which it may lose and get back. */
export class MemoryProvider implements ModelProvider<number> {
  readonly name: string;
  readonly origin: string;
  readonly lanes = [];
  readonly installed: Digest[] = [];
  isClosed = false;
  wasReached = false;
  isOnline = true;
  /** Chunks given, over all its connections. */
  given = 0;
  /** Called before each chunk is given. */
  beforeChunk: (given: number) => Promise<void> | void = () => {};
  readonly #models: MemoryModel[];
  #connection = 0;
  #lose: (error: ModelRtcError) => void = () => {};

  constructor(name: string, models: readonly MemoryModel[]) {
    this.name = name;
    this.origin = `memory:${name}`;
    this.#models = [...models];
  }

  async reach(signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted();
    if (this.isClosed) throw new ModelRtcError('cancelled', 'Closed.');
    if (!this.isOnline) throw new ModelRtcError('network', `${this.name} cannot be reached.`);
    this.wasReached = true;
    return this.#connection;
  }

  async reset(connection: number): Promise<void> {
    if (connection === this.#connection) this.#connection += 1;
  }

  /** It is gone from now on, also for what it serves. */
  leave(error = new ModelRtcError('network', `${this.name} is gone.`)): void {
    this.isOnline = false;
    this.#lose(error);
  }

  close(): void {
    this.isClosed = true;
    this.leave();
  }

  /** It does not have the models any more. */
  forget(): void {
    this.#models.splice(0);
    this.#lose(new ModelRtcError('not_found', `${this.name} has it no more.`));
  }

  expectBulk(): void {}

  async resolve(ref: string): Promise<ProvidedModel> {
    const { entry } = this.#find(({ entry: { id, alias }, digest }) => [id, alias, digest].includes(ref));
    return { entry, resolvedBy: 'alias' } as ProvidedModel;
  }

  async manifest(digest: Digest): Promise<Manifest> {
    return this.#find((model) => model.digest === digest).manifest;
  }

  async requireModel(digest: Digest): Promise<void> {
    this.#find((model) => model.digest === digest);
  }

  async serve(digest: Digest, { pool, name, signal }: ServeOptions): Promise<ModelRtcError> {
    const source = this.#sourceOf(
      this.#find((model) => model.digest === digest),
      name,
    );
    const lost = new Promise<ModelRtcError>((resolve) => {
      this.#lose = resolve;
      signal.addEventListener('abort', () => resolve(ModelRtcError.from(signal.reason)), { once: true });
      if (signal.aborted) resolve(ModelRtcError.from(signal.reason));
    });
    pool.add(source);
    const error = await lost;
    pool.remove(source);
    return error;
  }

  async noteInstalled({ digest }: { readonly digest: Digest }): Promise<void> {
    this.installed.push(digest);
  }

  #find(matches: (model: MemoryModel) => boolean): MemoryModel {
    const found = this.#models.find(matches);
    if (found === undefined) throw new ModelRtcError('not_found', `${this.name} has no such model.`);
    return found;
  }

  #sourceOf({ manifest, bytes }: MemoryModel, name: string): ChunkSource {
    const offsets = new Map<Digest, number>();
    let offset = 0;
    for (const { digest, size } of manifest.chunks) {
      offsets.set(digest, offset);
      offset += size;
    }
    return {
      ...{ name, origin: this.origin },
      lane: { id: 1, kind: 'memory', engine: undefined },
      fetch: async (chunks, { onPiece, signal }) => {
        for (const { index, digest, size } of chunks) {
          await this.beforeChunk(this.given);
          signal.throwIfAborted();
          // What was asked for before it left or forgot must not come after it, or the transfer may end before anyone hears.
          if (!this.isOnline || !this.#models.some((model) => model.manifest === manifest)) {
            throw new ModelRtcError('network', `${this.name} is gone.`);
          }
          const start = offsets.get(digest as Digest) ?? 0;
          onPiece(index, 0, bytes.subarray(start, start + size), true);
          this.given += 1;
        }
      },
    };
  }
}
