import { type Params, type ResultInput, unlessFails } from '@model-rtc/protocol';
import { type FileProblem, toModelEntry } from '@model-rtc/registry';
import { resolveHere } from './resolve-here.ts';
import type { HandlerOptions } from './types.ts';

export async function checkModelExists(
  services: HandlerOptions,
  { ref }: Params<'check_model_exists'>,
): Promise<ResultInput<'check_model_exists'>> {
  const found = await unlessFails(resolveHere(services, ref), 'not_found');
  if (found === undefined) return { exists: false, valid: false, problems: [] };
  const { entry } = found;
  const { digest } = entry;
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
