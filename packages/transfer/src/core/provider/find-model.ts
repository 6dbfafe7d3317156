import { type Digest, isDigest, ModelRtcError, pause } from '@model-rtc/protocol';
import { Attempts, backOff, type RetryOptions } from './attempts.ts';
import type { ModelProvider, ProvidedModel } from './model-provider.ts';
import { ProviderNames } from './provider-names.ts';

/** What references name on this machine: a `Registry`. */
export interface LocalNames {
  /** @throws ModelRtcError `not_found_locally`, `ambiguous` */
  resolve(ref: string, options?: { readonly paths?: boolean | undefined }): Promise<{ readonly entry: LocalModel }>;
}

interface LocalModel {
  readonly id: string;
  readonly digest?: Digest | undefined;
}

/** A reference, as a person wrote it. */
export interface Reference {
  readonly ref: string;
  /** Whether it is a path on this machine, which no provider may learn. */
  readonly isPath: boolean;
  /** The names that count when a provider does not know the reference. */
  readonly local: LocalNames;
}

/** A model at a provider, and by whose name it was found. */
export interface NamedModel {
  /** `client` when the provider knows no such name, and this machine does: then the provider was asked for its digest. */
  readonly namedBy: 'worker' | 'client';
  /** The id of another model, which the same reference names on this machine. */
  readonly otherHere?: string | undefined;
}

/** The model that a reference names, and the provider that said so. */
export interface FoundModel {
  readonly model: ProvidedModel & NamedModel;
  readonly provider: ModelProvider;
}

export interface FindOptions extends RetryOptions {
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
 * @throws ModelRtcError `not_found` when all answer and none has it; else the reason why one of them did not answer;
 * `bad_argument` when there is none
 */
export async function findModel(
  providers: readonly ModelProvider[],
  reference: Reference,
  options: FindOptions,
): Promise<FoundModel> {
  if (providers.length === 0) throw new ModelRtcError('bad_argument', 'Name a worker to take the model from.');
  // A connection that is still being made when another provider answers is kept for the transfer.
  for (const provider of providers) provider.reach(options.signal).catch(() => {});
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const answers = providers.map((provider) => askUntilAnswered(provider, reference, { ...options, signal }));
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
async function askUntilAnswered(
  provider: ModelProvider,
  reference: Reference,
  options: FindOptions,
): Promise<ProvidedModel & NamedModel> {
  const attempts = new Attempts(provider, options);
  for (;;) {
    let connection: unknown;
    try {
      connection = await provider.reach(options.signal);
      return await resolveReference(provider, reference, options.signal);
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code === 'busy' && connection !== undefined) await waitUntilReady(known, options);
      else await attempts.recover(known, connection);
    }
  }
}

/** A provider whose files changed hashes them first, and answers `busy` for as long as that takes. */
async function waitUntilReady(busy: ModelRtcError, options: FindOptions): Promise<void> {
  const { watchdog, signal, onWaiting } = options;
  if (!signal?.aborted) {
    watchdog.progressed();
    onWaiting?.(busy.message);
  }
  await backOff(ASK_AGAIN_MS, options);
}

/**
 * Finds what a reference names at a provider: by the provider's names first, then by this machine's.
 *
 * @throws ModelRtcError `not_found` when neither side knows the name, or the provider does not have what it names here;
 * `ambiguous`; `verification_failed` when the answer is another model than the one asked for.
 */
export async function resolveReference(
  provider: Pick<ModelProvider, 'resolve'>,
  { ref, isPath, local }: Reference,
  signal: AbortSignal | undefined,
): Promise<ProvidedModel & NamedModel> {
  const answer = isPath ? new ModelRtcError('not_found', unknownPath(ref)) : await askFor(provider, ref, signal);
  if (!(answer instanceof ModelRtcError)) {
    return { ...answer, namedBy: 'worker', otherHere: await otherHere(local, ref, answer) };
  }
  const here = await findHere(local, ref);
  if (here?.digest === undefined) throw answer;
  const found = await askFor(provider, here.digest, signal);
  if (found instanceof ModelRtcError) throw notThere(ref, here, found);
  return { ...found, namedBy: 'client' };
}

/** The model that a reference names on this machine, if any. @throws ModelRtcError `ambiguous` */
export async function findHere(local: LocalNames, ref: string): Promise<LocalModel | undefined> {
  try {
    return (await local.resolve(ref)).entry;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found_locally') return undefined;
    throw known;
  }
}

async function askFor(
  provider: Pick<ModelProvider, 'resolve'>,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<ProvidedModel | ModelRtcError> {
  try {
    const answer = await provider.resolve(ref, signal);
    assertAskedFor(ref, answer);
    return answer;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found') return known;
    throw known;
  }
}

/** The provider decides what a name means. A digest, or the start of one, asks for that very content. */
function assertAskedFor(ref: string, { entry, resolvedBy }: ProvidedModel): void {
  const isContent = isDigest(ref) || (/^[0-9a-f]{6,64}$/i.test(ref) && resolvedBy !== 'alias');
  if (!isContent || entry.digest === undefined || entry.digest.startsWith(ref.toLowerCase())) return;
  throw new ModelRtcError(
    'verification_failed',
    `The worker answered with model ${entry.id}, which is not "${ref}"; nothing was stored.`,
  );
}

/** The model that the provider's name means on this machine, in case the user meant that one. A failed lookup does not matter. */
async function otherHere(
  local: LocalNames,
  ref: string,
  { entry, resolvedBy }: ProvidedModel,
): Promise<string | undefined> {
  if (resolvedBy !== 'alias') return undefined;
  try {
    const here = await local.resolve(ref, { paths: false });
    return here.entry.digest === entry.digest ? undefined : here.entry.id;
  } catch {
    return undefined;
  }
}

function notThere(ref: string, here: LocalModel, cause: ModelRtcError): ModelRtcError {
  const sentence = `The worker has no model "${ref}", nor the one called "${ref}" on this machine (${here.id}). See what it has: model-rtc worker list-models.`;
  return new ModelRtcError('not_found', sentence, { cause, details: { ref, id: here.id } });
}

function unknownPath(ref: string): string {
  return `No model on this machine is at "${ref}", and workers do not look up paths. Pass the model's id or alias: model-rtc worker list-models.`;
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
