import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelReader } from '@model-rtc/transfer';
import { openPartial } from './partial-models.ts';
import type { HandlerContext, HandlerOptions } from './types.ts';

/** Opens a model to serve its chunks: the whole model, or the part that has been fetched so far. */
export async function openModelHere(services: HandlerContext, digest: Digest): Promise<ModelReader> {
  const { registry } = services;
  if ((await registry.find(digest)) !== undefined) return await registry.openModel(digest);
  const partial = await openPartial(services, digest);
  if (partial !== undefined) return partial;
  await assertHere(registry, digest);
  return await registry.openModel(digest);
}

/** @throws ModelRtcError `not_found` when the registry does not have the model. */
export async function assertHere(registry: HandlerOptions['registry'], digest: Digest): Promise<void> {
  if ((await registry.find(digest)) !== undefined) return;
  throw new ModelRtcError(
    'not_found',
    `This worker has no model ${digest.slice(0, 12)} any more. See what it has: model-rtc worker list-models.`,
  );
}

/**
 * Resolves a client's reference. Paths are not looked up, since an answer must not reveal which paths exist on this
 * machine.
 */
export async function resolveHere(
  { registry }: HandlerOptions,
  ref: string,
): Promise<Awaited<ReturnType<HandlerOptions['registry']['resolve']>>> {
  try {
    return await registry.resolve(ref, { paths: false });
  } catch (error) {
    const known = ModelRtcError.from(error);
    throw known.code === 'not_found_locally' ? unknownRef(ref, known) : known;
  }
}

function unknownRef(ref: string, cause: ModelRtcError): ModelRtcError {
  const suggestions = Array.isArray(cause.details?.suggestions) ? cause.details.suggestions : [];
  const advice =
    suggestions.length > 0
      ? `Did you mean ${suggestions.map((alias) => `"${alias}"`).join(', ')}?`
      : 'See what it has: model-rtc worker list-models --session SESSION.';
  return new ModelRtcError('not_found', `The worker has no model "${ref}". ${advice}`, {
    cause,
    details: { ref, suggestions },
  });
}
