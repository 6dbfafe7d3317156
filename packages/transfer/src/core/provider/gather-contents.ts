import {
  cancelledBy,
  contentsDigest,
  contentsManifest,
  type ModelContents,
  ModelRtcError,
  pause,
} from '@model-rtc/protocol';
import { Attempts, type RetryOptions } from './attempts.ts';
import { disagreement, mergeContents } from './merge-contents.ts';
import type { ModelProvider, WantedModel } from './model-provider.ts';

/** How long to wait for what the others know, after the first one has answered. */
const OTHERS_MS = 2_000;

/**
 * Everything that is known of a model: what the first provider to answer says and, if that is not all, what the others know.
 * Descriptions that do not agree with it are left out; their providers are dropped when they are asked to serve.
 *
 * @param providers - when no other answers, it waits for the first
 */
export async function gatherContents(
  providers: readonly ModelProvider[],
  model: WantedModel,
  options: RetryOptions,
): Promise<ModelContents> {
  const { first, contents } = await firstContents(providers, model, options);
  const others = providers.filter((provider) => provider !== first);
  if (others.length === 0 || contentsManifest(contents) !== undefined) return contents;
  const wanted = { ...model, digest: contentsDigest(contents) };
  const told: ModelContents[] = [];
  const asking = others.map(async (provider) => {
    await provider.reach(options.signal);
    told.push(await provider.contents(wanted, options.signal));
  });
  await Promise.race([Promise.allSettled(asking), pause(OTHERS_MS, options.clock, options.signal)]);
  return told.reduce((all, more) => (disagreement(all, more) === undefined ? mergeContents(all, more) : all), contents);
}

/** Asks one provider for the contents, and again over a new connection when one is lost. */
export async function contentsOf(
  provider: ModelProvider,
  model: WantedModel,
  options: RetryOptions,
): Promise<ModelContents> {
  const attempts = new Attempts(provider, options);
  for (;;) {
    try {
      await attempts.begin();
      return await provider.contents(model, options.signal);
    } catch (error) {
      await attempts.recover(error);
    }
  }
}

async function firstContents(
  providers: readonly ModelProvider[],
  model: WantedModel,
  options: RetryOptions,
): Promise<{ readonly first: ModelProvider; readonly contents: ModelContents }> {
  const { signal } = options;
  for (const first of providers.length === 1 ? [] : providers) {
    try {
      return { first, contents: await first.contents(model, signal) };
    } catch (error) {
      if (signal?.aborted) throw cancelledBy(signal, error);
    }
  }
  const [first] = providers;
  if (first === undefined) throw new ModelRtcError('bad_argument', 'There is no provider to take the model from.');
  return { first, contents: await contentsOf(first, model, options) };
}

/**
 * Checks a provider that does not know models by their digests.
 * @throws ModelRtcError `verification_failed` when what a provider has is not what is fetched
 */
export function requireAgreement(fetched: ModelContents, own: ModelContents, name: string): void {
  const why = disagreement(fetched, own);
  if (why === undefined) return;
  throw new ModelRtcError(
    'verification_failed',
    `${name} has other files than the model that is being fetched (${why}). Nothing is taken from it.`,
  );
}
