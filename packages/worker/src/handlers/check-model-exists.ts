import { ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import { type FileProblem, type RegistryEntry, toModelEntry } from '@model-rtc/registry';
import { resolveHere } from './resolve-here.ts';
import type { HandlerOptions } from './types.ts';

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

/** A problem with the whole model names its folder on this machine, so it is reworded. */
function tellable({ path, problem }: FileProblem): FileProblem {
  return path === '' ? { path: '.', problem: 'its notes at the worker cannot be read' } : { path, problem };
}
