import { ModelRtcError } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { OnModelProgress } from '../progress.ts';
import { resolveReference, type WorkerModelInfo } from '../resolve-reference.ts';
import { Attempts, backOff, pause, type RetryOptions } from './attempts.ts';
import type { ModelProvider } from './model-provider.ts';
import { ProviderNames } from './provider-names.ts';

/** What a reference names, and the provider that said so. */
export interface FoundModel {
  readonly info: WorkerModelInfo;
  readonly provider: ModelProvider;
}

export interface FindOptions extends RetryOptions {
  /** What this machine calls models: looked up for a reference that a provider does not know. */
  readonly registry: Registry;
  readonly onProgress?: OnModelProgress | undefined;
}

type Answer = { readonly info: WorkerModelInfo } | { readonly error: ModelRtcError };

/** Once one has answered, those before it have this long to answer too: the order decides what a name means. */
const EARLIER_PROVIDER_MS = 1_000;
const ASK_AGAIN_MS = 1_000;

/**
 * Asks all providers at once what a reference names; the first in their order that knows it decides. The others are then
 * asked no more: what they say while the transfer runs would pass for progress of it.
 *
 * @throws ModelRtcError `not_found` when all answer and none has it; else what kept one of them from answering
 */
export async function findModel(
  providers: readonly ModelProvider[],
  ref: string,
  options: FindOptions,
): Promise<FoundModel> {
  // A connection that is being made when another provider answers first is the transfer's.
  for (const provider of providers) provider.reach(options.signal).catch(() => {});
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  try {
    return await firstAnswer(providers, ref, { ...options, signal });
  } finally {
    over.abort(new ModelRtcError('cancelled', 'What the name means is settled.'));
  }
}

async function firstAnswer(
  providers: readonly ModelProvider[],
  ref: string,
  options: FindOptions,
): Promise<FoundModel> {
  const answers = new Map<ModelProvider, Answer>();
  return await new Promise<FoundModel>((resolve, reject) => {
    let isLate = false;
    const settle = (): void => {
      for (const provider of providers) {
        const answer = answers.get(provider);
        if (answer === undefined && !isLate) return;
        if (answer === undefined || !('info' in answer)) continue;
        resolve({ info: answer.info, provider });
        return;
      }
      if (answers.size === providers.length) reject(noneHasIt(providers, answers));
    };
    const take = async (provider: ModelProvider): Promise<void> => {
      const answer = await answerOf(provider, ref, options);
      answers.set(provider, answer);
      settle();
      if (!('info' in answer) || providers.length === 1) return;
      await pause(EARLIER_PROVIDER_MS, options.clock);
      isLate = true;
      settle();
    };
    for (const provider of providers) void take(provider);
  });
}

async function answerOf(provider: ModelProvider, ref: string, options: FindOptions): Promise<Answer> {
  try {
    return { info: await askUntilAnswered(provider, ref, options) };
  } catch (error) {
    return { error: ModelRtcError.from(error) };
  }
}

/** Asks one provider, over a new connection when one is lost. */
async function askUntilAnswered(provider: ModelProvider, ref: string, options: FindOptions): Promise<WorkerModelInfo> {
  const attempts = new Attempts(provider, options);
  for (;;) {
    try {
      await attempts.begin();
      return await resolveReference(options.registry, ref, (name) => provider.resolve(name, options.signal));
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code === 'busy' && attempts.isReached) await waitUntilReady(known, options);
      else await attempts.recover(known);
    }
  }
}

/** A provider whose files changed hashes them first, however long that takes; it says `busy` meanwhile. */
async function waitUntilReady(busy: ModelRtcError, options: FindOptions): Promise<void> {
  const { watchdog, signal, onProgress } = options;
  if (!signal?.aborted) {
    watchdog.progressed();
    onProgress?.({ type: 'waiting', reason: busy.message });
  }
  await backOff(ASK_AGAIN_MS, options);
}

function noneHasIt(providers: readonly ModelProvider[], answers: ReadonlyMap<ModelProvider, Answer>): ModelRtcError {
  const names = new ProviderNames(providers);
  const failures = providers.flatMap((provider) => {
    const answer = answers.get(provider);
    return answer !== undefined && 'error' in answer ? [{ name: names.of(provider), error: answer.error }] : [];
  });
  // One that could not be asked may have the model.
  const { error } =
    failures.find((one) => one.error.code !== 'not_found') ?? (failures[0] as (typeof failures)[number]);
  if (failures.length === 1 || error.code === 'cancelled') return error;
  const sentences = failures.map((one) => `${one.name}: ${one.error.message}`);
  return new ModelRtcError(error.code, sentences.join(' '), { cause: error, details: error.details });
}
