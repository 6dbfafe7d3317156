import { contentsDigest, contentsManifest, type ModelContents, ModelRtcError } from '@model-rtc/protocol';
import { Attempts, pause, type RetryOptions } from './attempts.ts';
import { cancelledBy } from './cancelled.ts';
import { disagreement, mergeContents } from './merge-contents.ts';
import type { ModelProvider, WantedModel } from './model-provider.ts';

/** What the others know is waited for this long, once one has told what it knows. */
const OTHERS_MS = 2_000;

/**
 * What is known of a model: as the first provider tells it that answers, and where that is not all, with what the others
 * know. What does not agree with it is left out; whoever told it is dropped when it is asked to serve.
 *
 * @param providers - the first is waited for when no other answers
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

/** Contents as one provider has them, asked again over a new connection when one is lost. */
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
 * For providers that do not know models by their digests.
 * @throws ModelRtcError `verification_failed` when what a provider has is not what is fetched
 */
export function requireAgreement(fetched: ModelContents, own: ModelContents, name: string): void {
  const why = disagreement(fetched, own);
  if (why === undefined) return;
  throw new ModelRtcError(
    'verification_failed',
    `${name} has other files than the model that is being fetched (${why}); nothing is taken from it.`,
  );
}
