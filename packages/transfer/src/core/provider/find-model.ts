import { ModelRtcError } from '@model-rtc/protocol';
import { Attempts, backOff, pause, type RetryOptions } from './attempts.ts';
import type { ModelProvider } from './model-provider.ts';
import { ProviderNames } from './provider-names.ts';

/** The model that a reference names, and the provider that said so. */
export interface FoundModel<Model> {
  readonly model: Model;
  readonly provider: ModelProvider;
}

export interface FindOptions<Model> extends RetryOptions {
  /** Asks one provider once what the reference names. */
  readonly ask: (provider: ModelProvider, signal: AbortSignal) => Promise<Model>;
  /** Called when a provider is there but cannot tell yet. */
  readonly onWaiting?: ((reason: string) => void) | undefined;
}

/** After the first answer, providers that come earlier have this long to answer: their order decides what a name means. */
const EARLIER_PROVIDER_MS = 1_000;
const ASK_AGAIN_MS = 1_000;

/**
 * Asks all providers at once what a reference names; the first one in order that knows it decides. The others are no longer
 * asked then: their answers during the transfer would look like progress.
 *
 * @throws ModelRtcError `not_found` when all answer and none has it; else the reason why one of them did not answer
 */
export async function findModel<Model extends object>(
  providers: readonly ModelProvider[],
  options: FindOptions<Model>,
): Promise<FoundModel<Model>> {
  // A connection that is still being made when another provider answers is kept for the transfer.
  for (const provider of providers) provider.reach(options.signal).catch(() => {});
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const answers = providers.map((provider) => askUntilAnswered(provider, { ...options, signal }));
  const never = new Promise<undefined>(() => {});
  const late = Promise.any(providers.length === 1 ? [never] : answers)
    .then(() => pause(EARLIER_PROVIDER_MS, options.clock, over.signal))
    .then(
      () => undefined,
      () => never,
    );
  const failures: Failure[] = [];
  try {
    for (const [i, provider] of providers.entries()) {
      try {
        const model = await Promise.race([answers[i], late]);
        if (model !== undefined) return { model, provider };
      } catch (error) {
        failures.push({ provider, error: ModelRtcError.from(error) });
      }
    }
    throw noneHasIt(providers, failures);
  } finally {
    over.abort(new ModelRtcError('cancelled', 'Another provider has answered.'));
    for (const answer of answers) answer.catch(() => {});
  }
}

/** Asks one provider, and again over a new connection when one is lost. */
async function askUntilAnswered<Model>(
  provider: ModelProvider,
  options: FindOptions<Model> & { readonly signal: AbortSignal },
): Promise<Model> {
  const attempts = new Attempts(provider, options);
  for (;;) {
    try {
      await attempts.begin();
      return await options.ask(provider, options.signal);
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code === 'busy' && attempts.isReached) await waitUntilReady(known, options);
      else await attempts.recover(known);
    }
  }
}

/** A provider whose files changed hashes them first, and answers `busy` for as long as that takes. */
async function waitUntilReady(busy: ModelRtcError, options: FindOptions<unknown>): Promise<void> {
  const { watchdog, signal, onWaiting } = options;
  if (!signal?.aborted) {
    watchdog.progressed();
    onWaiting?.(busy.message);
  }
  await backOff(ASK_AGAIN_MS, options);
}

interface Failure {
  readonly provider: ModelProvider;
  readonly error: ModelRtcError;
}

function noneHasIt(providers: readonly ModelProvider[], failures: readonly Failure[]): ModelRtcError {
  const names = new ProviderNames(providers);
  // A provider that could not be asked may have the model.
  const { error } = failures.find((one) => one.error.code !== 'not_found') ?? (failures[0] as Failure);
  if (failures.length === 1 || error.code === 'cancelled') return error;
  const sentences = failures.map((one) => `${names.of(one.provider)}: ${one.error.message}`);
  return new ModelRtcError(error.code, sentences.join(' '), { cause: error, details: error.details });
}
