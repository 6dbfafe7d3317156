import { ModelRtcError } from '@model-rtc/protocol';
import { Attempts, type AttemptsOptions, closedError, isRetryableInBackground } from './attempts.ts';
import type { FetchedModel, ModelProvider, ServeOptions } from './model-provider.ts';
import type { ProviderNames } from './provider-names.ts';

/** What happened to one of the providers of a transfer. */
export interface ProviderNews {
  readonly name: string;
  /**
   * `serving`: it has the model, and gives it from now on. `absent`: it does not have it. `offline`: it cannot be reached, and
   * is retried. `busy`: it cannot tell yet whether it has the model, and is asked again. `lost`: its connection was lost, and
   * is made again. `dropped`: it is no longer used.
   */
  readonly state: 'serving' | 'absent' | 'offline' | 'busy' | 'lost' | 'dropped';
  readonly reason?: string | undefined;
}

export interface KeepServingOptions extends AttemptsOptions, Omit<ServeOptions, 'name'> {
  readonly model: FetchedModel;
  readonly names: ProviderNames;
  readonly signal: AbortSignal;
  readonly onNews: (news: ProviderNews) => void;
  /** Called for each failure after which the provider is retried. */
  readonly onFailure: (error: ModelRtcError) => void;
}

/** How the use of a provider ended. */
export type ServingEnd =
  /** The transfer is over. */
  | { readonly kind: 'over' }
  /** The provider does not have the model, or no longer has it. */
  | { readonly kind: 'absent'; readonly error: ModelRtcError }
  | { readonly kind: 'failed'; readonly error: ModelRtcError };

interface Served {
  readonly wasServing: boolean;
  readonly error: ModelRtcError;
}

/**
 * Keeps one provider's sources in the pool of a transfer while it has the model: reaches it, checks that the model is there,
 * and reaches it again when its connection is lost. Meanwhile the transfer goes on with the other providers.
 */
export async function keepServing(provider: ModelProvider, options: KeepServingOptions): Promise<ServingEnd> {
  const { signal, onFailure } = options;
  const attempts = new Attempts(provider, options);
  const told = new Set<ProviderNews['state']>();
  for (;;) {
    const served = await serveOnce(provider, attempts, options);
    const { error } = served;
    if (signal.aborted) return { kind: 'over' };
    if (provider.isClosed) return { kind: 'failed', error: closedError(error) };
    if (!isRetryableInBackground(error)) return endWith(provider, error, options);
    onFailure(error);
    if (attempts.isExhausted) return { kind: 'failed', error };
    tellOfFailure(provider, served, { told, ...options });
    await attempts.wait().catch(() => {});
  }
}

async function serveOnce(provider: ModelProvider, attempts: Attempts, options: KeepServingOptions): Promise<Served> {
  const { model, pool, encodings, names, signal, onNews } = options;
  let wasServing = false;
  try {
    await attempts.begin();
    await provider.requireModel(model, signal);
    const name = names.keep(provider);
    onNews({ name, state: 'serving' });
    wasServing = true;
    const error = await provider.serve(model, { pool, name, encodings, signal });
    // If only the model changed, the connection is still good: the transfer may begin again over it.
    if (!signal.aborted && error.code !== 'source_changed') await attempts.reset();
    return { wasServing, error };
  } catch (thrown) {
    return { wasServing, error: ModelRtcError.from(thrown) };
  }
}

function endWith(provider: ModelProvider, error: ModelRtcError, { names, onNews }: KeepServingOptions): ServingEnd {
  const kind = error.code === 'not_found' ? 'absent' : 'failed';
  onNews({ name: names.of(provider), state: kind === 'absent' ? 'absent' : 'dropped', reason: error.message });
  return { kind, error };
}

function tellOfFailure(
  provider: ModelProvider,
  { wasServing, error }: Served,
  { told, names, onNews }: KeepServingOptions & { readonly told: Set<ProviderNews['state']> },
): void {
  const state = wasServing ? 'lost' : error.code === 'busy' ? 'busy' : 'offline';
  if (wasServing || !told.has(state)) onNews({ name: names.of(provider), state, reason: error.message });
  // The lost connection was reported already.
  told.add(state === 'lost' ? 'offline' : state);
}
