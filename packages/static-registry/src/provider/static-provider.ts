import {
  type Clock,
  cancelledBy,
  contentsDigest,
  type Digest,
  type ModelContents,
  type ModelEntry,
  ModelRtcError,
  type ModelSource,
  orAborted,
  systemClock,
} from '@model-rtc/protocol';
import {
  type FetchedModel,
  type ModelProvider,
  type ProvidedModel,
  requireAgreement,
  type ServeOptions,
  type WantedModel,
} from '@model-rtc/transfer';
import type { FoundVersion, ModelList } from '../format/model-list.ts';
import type { StaticManifest } from '../format/static-manifest.ts';
import { DEFAULT_CONCURRENCY, MAX_CONCURRENCY } from '../limits.ts';
import type { StaticRegistry } from '../static-registry.ts';
import { staticSource } from './chunk-source.ts';
import { entryOf } from './entry.ts';

export interface StaticProviderOptions {
  readonly registry: StaticRegistry;
  /** Chunks that are fetched at once, from 1 to 16; 4 by default. */
  readonly concurrency?: number | undefined;
  /** The digest of the model that this machine installed from a manifest, where the manifest does not say it. */
  readonly digestHere?: ((manifest: Digest) => Promise<Digest | undefined>) | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/** A connection: the list of models as it was when the registry was reached. */
interface Reached {
  readonly list: ModelList;
}

/** A version with its manifest. */
interface Listed {
  readonly version: FoundVersion;
  readonly manifest: StaticManifest;
}

/** A static registry as a provider. @throws ModelRtcError `bad_argument` for a concurrency that is not from 1 to 16 */
export class StaticProvider implements ModelProvider<Reached> {
  readonly source: ModelSource = 'static-registry';
  readonly lanes = [];
  readonly #options: StaticProviderOptions;
  readonly #concurrency: number;
  readonly #closed = new AbortController();
  /** What was resolved, by digest: a registry finds models by names. */
  readonly #byDigest = new Map<Digest, FoundVersion>();
  #reached: Promise<Reached> | undefined;
  #wasReached = false;

  constructor(options: StaticProviderOptions) {
    const { concurrency = DEFAULT_CONCURRENCY } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
      throw new ModelRtcError(
        'bad_argument',
        `${concurrency} chunks cannot be fetched at once. Choose from 1 to ${MAX_CONCURRENCY}.`,
      );
    }
    this.#options = options;
    this.#concurrency = concurrency;
  }

  get origin(): string {
    return `registry:${this.#options.registry.url}`;
  }

  /** The host, or the last part of a folder's path. */
  get name(): string {
    const { host, pathname } = new URL(this.#options.registry.url);
    return host === '' ? decodeURIComponent(pathname.split('/').at(-1) ?? pathname) : host;
  }

  get wasReached(): boolean {
    return this.#wasReached;
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Ends the use of it. */
  close(): void {
    this.#closed.abort(new ModelRtcError('cancelled', 'The registry is no longer used.'));
  }

  async reach(signal: AbortSignal | undefined): Promise<Reached> {
    if (this.isClosed) throw cancelledBy(this.#closed.signal);
    if (signal?.aborted) throw cancelledBy(signal);
    const reaching = this.#reached ?? this.#read();
    this.#reached = reaching;
    const reached = await orAborted(reaching, signal);
    this.#wasReached = true;
    return reached;
  }

  async reset(connection: Reached): Promise<void> {
    const reached = await this.#reached?.catch(() => undefined);
    if (reached === connection) this.#reached = undefined;
  }

  expectBulk(): void {}

  async resolve(ref: string, signal: AbortSignal | undefined): Promise<ProvidedModel> {
    const listed = await this.#find({ ref, digest: undefined }, signal);
    const digest = contentsDigest(listed.manifest.contents) ?? (await this.#options.digestHere?.(listed.manifest.hash));
    const entry: ModelEntry = entryOf(this.#options.registry.url, listed.version, listed.manifest, digest);
    return { entry, resolvedBy: 'alias', ...(digest === undefined ? { hasDigestLater: true } : {}) };
  }

  async contents(model: WantedModel, signal: AbortSignal | undefined): Promise<ModelContents> {
    const { manifest } = await this.#find(model, signal);
    return manifest.contents;
  }

  async requireModel(model: FetchedModel, signal: AbortSignal | undefined): Promise<void> {
    requireAgreement(model.contents, (await this.#find(model, signal)).manifest.contents, this.name);
  }

  /** Serves until the transfer is over, or gave its source up. */
  async serve(model: FetchedModel, { pool, name, signal }: ServeOptions): Promise<ModelRtcError> {
    const { registry, clock = systemClock, random = Math.random } = this.#options;
    const { manifest } = await this.#find(model, signal);
    const source = staticSource({
      ...{ name, origin: this.origin, store: registry.store, manifest, clock, random },
      concurrency: this.#concurrency,
    });
    const over = AbortSignal.any([signal, this.#closed.signal]);
    return await new Promise((resolve) => {
      const end = (error: ModelRtcError): void => {
        stopListening();
        over.removeEventListener('abort', onAbort);
        pool.remove(source);
        resolve(error);
      };
      const onAbort = (): void => end(cancelledBy(over));
      const stopListening = pool.onChange((change) => {
        if (change.type === 'removed' && change.source === source) end(change.error ?? notUsed(name));
      });
      over.addEventListener('abort', onAbort, { once: true });
      if (over.aborted) onAbort();
      else pool.add(source);
    });
  }

  async noteInstalled(): Promise<void> {}

  /** @throws ModelRtcError `not_found` */
  async #find({ ref, digest }: WantedModel, signal: AbortSignal | undefined): Promise<Listed> {
    const { list } = await this.reach(signal);
    const version = this.#versionOf(list, ref, digest);
    const manifest = await this.#options.registry.manifest(version.hash, signal);
    const own = contentsDigest(manifest.contents);
    if (own !== undefined) this.#byDigest.set(own, version);
    return { version, manifest };
  }

  /** By its name; else by its digest, which another provider may have told. */
  #versionOf(list: ModelList, ref: string, digest: Digest | undefined): FoundVersion {
    try {
      return list.resolve(ref);
    } catch (error) {
      const wanted = digest ?? (ref as Digest);
      const found = this.#byDigest.get(wanted) ?? list.withDigest(wanted);
      if (found === undefined) throw error;
      return found;
    }
  }

  async #read(): Promise<Reached> {
    try {
      return { list: await this.#options.registry.list(this.#closed.signal) };
    } catch (error) {
      this.#reached = undefined;
      throw error;
    }
  }
}

function notUsed(name: string): ModelRtcError {
  return new ModelRtcError('network', `${name} is no longer used.`);
}
