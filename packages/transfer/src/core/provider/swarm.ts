import { contentsDigest, type ModelContents, ModelRtcError } from '@model-rtc/protocol';
import type { PeerEncodings } from '../sources/peer-encodings.ts';
import { SourcePool } from '../sources/source-pool.ts';
import { GIVE_UP_MS, gaveUp, type RetryOptions } from './attempts.ts';
import { cancelledBy } from './cancelled.ts';
import { keepServing, type ProviderNews, type ServingEnd } from './keep-serving.ts';
import type { FetchedModel, ModelProvider, WantedModel } from './model-provider.ts';
import type { ProviderNames } from './provider-names.ts';

export interface SwarmOptions extends RetryOptions {
  readonly model: WantedModel;
  readonly encodings: PeerEncodings;
  /** The names of the providers. */
  readonly names: ProviderNames;
  readonly onNews: (news: ProviderNews) => void;
}

/** The providers of one transfer; any of them may leave and come back meanwhile. */
export class Swarm {
  readonly pool = new SourcePool();
  readonly #providers: readonly ModelProvider[];
  readonly #options: SwarmOptions;
  readonly #over = new AbortController();
  readonly #ends = new Map<ModelProvider, ServingEnd>();
  /** Those that had the model when they were last asked. */
  readonly #served = new Set<ModelProvider>();
  /** Those that could not be asked. */
  readonly #failed = new Set<ModelProvider>();
  #serving: Promise<void>[] = [];
  /** The last error of a provider that is being retried. */
  #lastFailure: ModelRtcError | undefined;

  constructor(providers: readonly ModelProvider[], options: SwarmOptions) {
    this.#providers = providers;
    this.#options = options;
  }

  /** Begins to take the model from all providers that have it. */
  start(contents: ModelContents): void {
    const model = { ...this.#options.model, contents, digest: contentsDigest(contents) };
    this.#serving = this.#providers.map((provider) => this.#serve(provider, model));
  }

  /** Stops using all providers; their connections stay. */
  async end(): Promise<void> {
    this.#over.abort(new ModelRtcError('cancelled', 'The transfer is over.'));
    await Promise.all(this.#serving);
  }

  /** The error of a failed transfer, including what the providers said. */
  asEnd(thrown: unknown): ModelRtcError {
    const { signal, watchdog } = this.#options;
    const error = ModelRtcError.from(thrown);
    if (signal?.aborted) return cancelledBy(signal, error);
    const failure = this.#failure();
    if (failure !== undefined && this.#providers.every(({ isClosed }) => isClosed)) return failure;
    const isStalled = error.code === 'timeout' && watchdog.quietMs >= GIVE_UP_MS;
    return isStalled && failure !== undefined ? gaveUp(failure, error.details) : error;
  }

  async #serve(provider: ModelProvider, model: FetchedModel): Promise<void> {
    const { signal, onNews } = this.#options;
    const end = await keepServing(provider, {
      ...this.#options,
      model,
      pool: this.pool,
      signal: signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]),
      onNews: (news) => {
        if (news.state === 'serving') this.#served.add(provider);
        onNews(news);
      },
      onFailure: (error) => {
        this.#lastFailure = error;
        this.#failed.add(provider);
        this.#endWhenNobodyIsLeft();
      },
    });
    this.#ends.set(provider, end);
    this.#endWhenNobodyIsLeft();
  }

  #endWhenNobodyIsLeft(): void {
    if (this.#over.signal.aborted) return;
    const left = this.#providers.filter((provider) => !this.#ends.has(provider));
    // If the model changed, the new one can be fetched at once: do not wait for providers that may never have had the old one.
    const mayHaveIt = (provider: ModelProvider): boolean => this.#served.has(provider) || !this.#failed.has(provider);
    const waitedFor = this.#changedError() === undefined ? left : left.filter(mayHaveIt);
    if (waitedFor.length === 0) this.pool.end(this.#whyNobody());
  }

  /** The error when no provider is left. */
  #whyNobody(): ModelRtcError {
    const { watchdog } = this.#options;
    const error = this.#changedError() ?? this.#endError();
    if (error === undefined) {
      return new ModelRtcError('source_changed', 'The model changed at the worker while it was sent.');
    }
    return watchdog.quietMs >= GIVE_UP_MS ? gaveUp(error) : error;
  }

  #failure(): ModelRtcError | undefined {
    return this.#endError() ?? this.#lastFailure;
  }

  #changedError(): ModelRtcError | undefined {
    const ends = [...this.#ends.values()];
    return ends.flatMap((end) => (end.kind === 'failed' && end.error.code === 'source_changed' ? [end.error] : []))[0];
  }

  /** Among several, the error of the first provider that failed in another way than not having the model. */
  #endError(): ModelRtcError | undefined {
    for (const end of this.#ends.values()) if (end.kind === 'failed') return end.error;
    return undefined;
  }
}
