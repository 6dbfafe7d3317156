import { type Digest, type Manifest, type ModelContents, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import {
  type ChunkSource,
  type FetchedModel,
  type ModelProvider,
  type ProvidedModel,
  requireAgreement,
  type ServeOptions,
  type WantedModel,
} from '@model-rtc/transfer';

export interface MemoryModel {
  readonly entry: ModelEntry;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** What the provider says of it; the manifest and digest when left out. */
  readonly known?: ModelContents | undefined;
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
  readonly source = 'hub';
  /** What it gives in place of the right bytes of a chunk. */
  alter: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** How often it was asked what a model consists of. */
  told = 0;
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
    const { entry, known } = this.#find({ ref, digest: ref as Digest });
    if (known === undefined) return { entry, resolvedBy: 'alias' };
    const { digest: _, ...undigested } = entry;
    return { entry: undigested, resolvedBy: 'alias', hasDigestLater: true };
  }

  async contents(model: WantedModel): Promise<ModelContents> {
    this.told += 1;
    const { known, manifest, digest } = this.#find(model);
    return known ?? { ...manifest, digest };
  }

  async requireModel({ contents, ...model }: FetchedModel): Promise<void> {
    requireAgreement(contents, this.#find(model).known ?? contents, this.name);
  }

  async serve(model: FetchedModel, { pool, name, signal }: ServeOptions): Promise<ModelRtcError> {
    const source = this.#sourceOf(this.#find(model), name);
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

  /** One that knows no digests is asked by name. */
  #find({ ref, digest }: WantedModel): MemoryModel {
    const found = this.#models.find(({ entry, known, ...model }) =>
      known === undefined ? [model.digest, entry.id, entry.alias].includes(digest ?? ref) : entry.alias === ref,
    );
    if (found === undefined) throw new ModelRtcError('not_found', `${this.name} has no such model.`);
    return found;
  }

  #sourceOf({ manifest, bytes }: MemoryModel, name: string): ChunkSource {
    const files = new Map<string, number>();
    let offset = 0;
    for (const { path, size } of manifest.files) {
      files.set(path, offset);
      offset += size;
    }
    return {
      ...{ name, origin: this.origin },
      lane: { id: 1, kind: 'memory', engine: undefined },
      fetch: async (chunks, { onPiece, signal }) => {
        for (const chunk of chunks) {
          await this.beforeChunk(this.given);
          signal.throwIfAborted();
          // What was asked for before it left or forgot must not come after it, or the transfer may end before anyone hears.
          if (!this.isOnline || !this.#models.some((model) => model.manifest === manifest)) {
            throw new ModelRtcError('network', `${this.name} is gone.`);
          }
          const parts = chunk.extents().map(({ path, offset: at, length }) => {
            const start = (files.get(path) ?? 0) + at;
            return bytes.subarray(start, start + length);
          });
          onPiece(chunk.index, 0, this.alter(Buffer.concat(parts)), true);
          this.given += 1;
        }
      },
    };
  }
}
