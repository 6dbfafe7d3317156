import {
  cancelledBy,
  contentsDigest,
  contentsManifest,
  type ModelContents,
  ModelRtcError,
  pause,
} from '@model-rtc/protocol';
import type { PeerEncodings } from '../sources/peer-encodings.ts';
import { SourcePool } from '../sources/source-pool.ts';
import { Attempts, closedError, gaveUp, isRetryableInBackground, type RetryOptions } from './attempts.ts';
import { disagreement, mergeContents } from './merge-contents.ts';
import type { FetchedModel, ModelProvider, WantedModel } from './model-provider.ts';
import type { ProviderNames } from './provider-names.ts';
import type { ProviderNews } from './provider-news.ts';

/** How long to wait for what the others know, after the first one has answered. */
const OTHERS_MS = 2_000;

export interface SwarmOptions extends RetryOptions {
  readonly model: WantedModel;
  readonly encodings: PeerEncodings;
  /** Others that are fetching the model are among the providers, and this machine passes on what it has. */
  readonly shared?: boolean | undefined;
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
  /** Aborts with the transfer, however it ends. */
  readonly #signal: AbortSignal;
  /** Why providers are no longer used: `not_found` when they do not have the model, or no longer have it. */
  readonly #ends = new Map<ModelProvider, ModelRtcError>();
  /** Those that had the model when they were last asked. */
  readonly #served = new Set<ModelProvider>();
  /** Those that could not be asked. */
  readonly #failed = new Set<ModelProvider>();
  #serving: Promise<void>[] = [];
  /** The last error of a provider that is being retried. */
  #lastFailure: ModelRtcError | undefined;

  constructor(providers: readonly ModelProvider[], options: SwarmOptions) {
    const { signal } = options;
    this.#providers = providers;
    this.#options = options;
    this.#signal = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
  }

  /**
   * Begins to take the model from all providers that have it.
   * @returns everything that is known of it
   * @throws ModelRtcError why none describes it
   */
  async start(): Promise<ModelContents> {
    const contents = await this.#gatherContents();
    const model = { ...this.#options.model, contents, digest: contentsDigest(contents) };
    this.#serving = this.#providers.map((provider) => this.#keepServing(provider, model));
    return contents;
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
    const failure = this.#endError() ?? this.#lastFailure;
    if (failure !== undefined && this.#providers.every(({ isClosed }) => isClosed)) return failure;
    const isStalled = error.code === 'timeout' && watchdog.isExhausted;
    return isStalled && failure !== undefined ? gaveUp(failure, watchdog, error.details) : error;
  }

  /**
   * What the first provider to answer says and, if that is not all, what the others know. Descriptions that do not agree with it are
   * left out; their providers are dropped when they are asked to serve.
   */
  async #gatherContents(): Promise<ModelContents> {
    const { model, clock, signal } = this.#options;
    const { first, contents } = await this.#firstContents();
    const others = this.#providers.filter((provider) => provider !== first);
    if (others.length === 0 || contentsManifest(contents) !== undefined) return contents;
    const wanted = { ...model, digest: contentsDigest(contents) };
    const told: ModelContents[] = [];
    const asking = others.map(async (provider) => {
      await provider.reach(signal);
      told.push(await provider.contents(wanted, signal));
    });
    await Promise.race([Promise.allSettled(asking), pause(OTHERS_MS, clock, signal)]);
    return told.reduce(
      (all, more) => (disagreement(all, more) === undefined ? mergeContents(all, more) : all),
      contents,
    );
  }

  /** Waits for the first provider when no other one answers. */
  async #firstContents(): Promise<{ readonly first: ModelProvider; readonly contents: ModelContents }> {
    const { model, signal } = this.#options;
    for (const first of this.#providers.length === 1 ? [] : this.#providers) {
      try {
        return { first, contents: await first.contents(model, signal) };
      } catch (error) {
        if (signal?.aborted) throw cancelledBy(signal, error);
      }
    }
    const [first] = this.#providers;
    if (first === undefined) throw new ModelRtcError('bad_argument', 'There is no provider to take the model from.');
    return { first, contents: await contentsOf(first, model, this.#options) };
  }

  /**
   * Keeps one provider's sources in the pool while it has the model: reaches it, checks that the model is there, and reaches
   * it again when its connection is lost. Meanwhile the transfer goes on with the other providers.
   */
  async #keepServing(provider: ModelProvider, model: FetchedModel): Promise<void> {
    const attempts = new Attempts(provider, { ...this.#options, signal: this.#signal });
    const told = new Set<ProviderNews['state']>();
    for (;;) {
      const { wasServing, error } = await this.#serveOnce(provider, model);
      if (this.#signal.aborted) return;
      if (provider.isClosed) this.#ends.set(provider, closedError(error));
      else if (!isRetryableInBackground(error)) {
        this.#tell(provider, error.code === 'not_found' ? 'absent' : 'dropped', error);
        this.#ends.set(provider, error);
      } else {
        this.#lastFailure = error;
        this.#failed.add(provider);
        if (attempts.isExhausted) this.#ends.set(provider, error);
      }
      this.#endWhenNobodyIsLeft();
      if (this.#ends.has(provider)) return;
      const state = wasServing ? 'lost' : error.code === 'busy' ? 'busy' : 'offline';
      if (wasServing || !told.has(state)) this.#tell(provider, state, error);
      // The lost connection was reported already.
      told.add(state === 'lost' ? 'offline' : state);
      await attempts.wait().catch(() => {});
    }
  }

  async #serveOnce(
    provider: ModelProvider,
    model: FetchedModel,
  ): Promise<{ readonly wasServing: boolean; readonly error: ModelRtcError }> {
    const { encodings, names, shared, onNews } = this.#options;
    const signal = this.#signal;
    let wasServing = false;
    try {
      const connection = await provider.reach(signal);
      await provider.requireModel(model, signal);
      const name = names.keep(provider);
      this.#served.add(provider);
      this.#tell(provider, 'serving');
      wasServing = true;
      const error = await provider.serve(model, { pool: this.pool, name, encodings, shared, signal, onNews });
      // If only the model changed, the connection is still good: the transfer may begin again over it.
      if (!signal.aborted && error.code !== 'source_changed') await provider.reset(connection);
      return { wasServing, error };
    } catch (thrown) {
      return { wasServing, error: ModelRtcError.from(thrown) };
    }
  }

  #tell(provider: ModelProvider, state: ProviderNews['state'], error?: ModelRtcError): void {
    const { names, onNews } = this.#options;
    onNews({ name: names.of(provider), state, reason: error?.message });
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
    const error = this.#changedError() ?? this.#endError();
    if (error === undefined) {
      return new ModelRtcError('source_changed', 'The model changed at the worker while it was sent.');
    }
    const { watchdog } = this.#options;
    return watchdog.isExhausted ? gaveUp(error, watchdog) : error;
  }

  #changedError(): ModelRtcError | undefined {
    return [...this.#ends.values()].find(({ code }) => code === 'source_changed');
  }

  /** Among several, the error of the first provider that failed in another way than not having the model. */
  #endError(): ModelRtcError | undefined {
    return [...this.#ends.values()].find(({ code }) => code !== 'not_found');
  }
}

/** Asks one provider for the contents, and again over a new connection when one is lost. */
export async function contentsOf(
  provider: ModelProvider,
  model: WantedModel,
  options: RetryOptions,
): Promise<ModelContents> {
  const attempts = new Attempts(provider, options);
  for (;;) {
    let connection: unknown;
    try {
      connection = await provider.reach(options.signal);
      return await provider.contents(model, options.signal);
    } catch (error) {
      await attempts.recover(error, connection);
    }
  }
}
