import {
  MAX_INCOMPLETE_FILES,
  type ModelEntry,
  ModelRtcError,
  type Params,
  type ResultInput,
} from '@model-rtc/protocol';
import { type RegistryEntry, resumeCommand, toModelEntry } from '@model-rtc/registry';
import { type Asker, knowsPartial, resolvePartial } from './partial-models.ts';
import { resolveHere } from './resolve-here.ts';
import type { HandlerContext, HandlerOptions } from './types.ts';

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
  // Version 1 of the protocol has no word of its own for a full name.
  const by = resolvedBy === 'name' ? 'alias' : resolvedBy;
  return { entry: await withDamage(services, fresh), resolvedBy: by, resumeCommand: resumeCommand(fresh) };
}

/** More is no help before a pull. */
const MAX_DAMAGED = 8;

/** An entry that also tells of files that are no longer as they were hashed, before anyone asks for their bytes. */
async function withDamage({ registry }: HandlerOptions, entry: RegistryEntry): Promise<ModelEntry> {
  const told = toModelEntry(entry);
  // Linked files were looked at a moment ago.
  if (entry.digest === undefined || entry.linked) return told;
  const { problems } = await registry.check(entry.digest);
  const damaged = problems.slice(0, MAX_DAMAGED).map(({ path, problem }) =>
    // A problem with the whole model names its folder on this machine.
    path === ''
      ? { path: '.', problem: 'has notes at the worker that cannot be read' }
      : { path, problem: `is damaged: ${problem}` },
  );
  if (damaged.length === 0) return told;
  const others = (told.incomplete ?? []).filter(({ path }) => !damaged.some((file) => file.path === path));
  return { ...told, incomplete: [...damaged, ...others].slice(0, MAX_INCOMPLETE_FILES) };
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

function changed(ref: string, fresh: RegistryEntry): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `The files of "${ref}" changed at the worker: what it has now is ${fresh.alias ?? fresh.id} (${fresh.id}).`,
    {
      details: { id: fresh.id, alias: fresh.alias },
    },
  );
}
