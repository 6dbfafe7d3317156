import { type Digest, ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import { type FileProblem, type RegistryEntry, resumeCommand, toModelEntry } from '@model-rtc/registry';
import type { ModelReader } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import { knowsPartial, listWithPartials, openPartial, resolvePartial } from './partial-models.ts';
import type { HandlerContext, HandlerOptions } from './types.ts';

type Asker = Pick<RequestContext, 'peer'>;

export async function listModels(
  services: HandlerContext,
  params: Params<'list_models'>,
  asker: Asker,
): Promise<ResultInput<'list_models'>> {
  const wholePage = async (wanted: Params<'list_models'>): Promise<ResultInput<'list_models'>> => {
    const page = await services.registry.list(wanted);
    return { ...page, models: page.models.map(toModelEntry) };
  };
  return knowsPartial(asker) ? await listWithPartials(services, params, wholePage) : await wholePage(params);
}

export async function getModelInfo(
  services: HandlerContext,
  { ref }: Params<'get_model_info'>,
  asker: Asker,
): Promise<ResultInput<'get_model_info'>> {
  try {
    return await infoOfWhole(services, ref);
  } catch (error) {
    const isUnknown = ModelRtcError.from(error).code === 'not_found';
    const partial = isUnknown && knowsPartial(asker) ? await resolvePartial(services, ref) : undefined;
    if (partial === undefined) throw error;
    return partial;
  }
}

async function infoOfWhole(services: HandlerOptions, ref: string): Promise<ResultInput<'get_model_info'>> {
  const { entry, resolvedBy } = await resolveHere(services, ref);
  const fresh = await freshEntry(services, ref, entry);
  // A digest names one content: when that is gone, the new one is not what was asked for.
  if (fresh.digest !== entry.digest && (resolvedBy === 'digest' || resolvedBy === 'id')) throw changed(ref, fresh);
  return { entry: toModelEntry(fresh), resolvedBy, resumeCommand: resumeCommand(fresh) };
}

/** While the entry was looked at, another asker's look may have put a new one in its place. */
async function freshEntry(services: HandlerOptions, ref: string, entry: RegistryEntry): Promise<RegistryEntry> {
  try {
    return await services.fresh.ensure(entry);
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'not_found_locally') throw error;
    return await services.fresh.ensure((await resolveHere(services, ref)).entry);
  }
}

export async function checkModelExists(
  services: HandlerOptions,
  { ref }: Params<'check_model_exists'>,
): Promise<ResultInput<'check_model_exists'>> {
  let entry: RegistryEntry;
  try {
    ({ entry } = await resolveHere(services, ref));
  } catch (error) {
    if (ModelRtcError.from(error).code === 'not_found') return { exists: false, valid: false, problems: [] };
    throw error;
  }
  const digest = entry.digest;
  if (digest === undefined) {
    return {
      exists: true,
      entry: toModelEntry(entry),
      valid: false,
      problems: [{ path: '.', problem: 'it is still training' }],
    };
  }
  const { valid, problems } = await services.registry.check(digest);
  return { exists: true, entry: toModelEntry(entry), valid, problems: problems.map(tellable) };
}

/** What is wrong with a model as a whole names its folder on this machine. */
function tellable({ path, problem }: FileProblem): FileProblem {
  return path === '' ? { path: '.', problem: 'what the worker noted of its files cannot be read' } : { path, problem };
}

export async function getManifest(
  { registry, partials }: HandlerContext,
  { digest }: Params<'get_manifest'>,
): Promise<ResultInput<'get_manifest'>> {
  if ((await registry.find(digest)) !== undefined) return { manifest: await registry.manifest(digest) };
  const manifest = await partials.manifest(digest);
  if (manifest !== undefined) return { manifest };
  // What was still fetched a moment ago may be installed now.
  await assertHere(registry, digest);
  return { manifest: await registry.manifest(digest) };
}

function changed(ref: string, fresh: RegistryEntry): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `The files of "${ref}" changed at the worker: what it has now is ${fresh.alias ?? fresh.id} (${fresh.id}).`,
    {
      details: { id: fresh.id, alias: fresh.alias },
    },
  );
}

/** The model to serve chunks of: whole, or as far as it has been fetched. */
export async function openModelHere(services: HandlerContext, digest: Digest): Promise<ModelReader> {
  const { registry } = services;
  if ((await registry.find(digest)) !== undefined) return await registry.openModel(digest);
  const partial = await openPartial(services, digest);
  if (partial !== undefined) return partial;
  await assertHere(registry, digest);
  return await registry.openModel(digest);
}

async function assertHere(registry: HandlerOptions['registry'], digest: Digest): Promise<void> {
  if ((await registry.find(digest)) !== undefined) return;
  throw new ModelRtcError(
    'not_found',
    `This worker has no model ${digest.slice(0, 12)} any more. See what it has: model-rtc worker list-models.`,
  );
}

/**
 * A reference as this worker understands it. A path is not one: what a client names must be in the registry, and an answer
 * must not tell which paths exist on this machine.
 */
async function resolveHere(
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
