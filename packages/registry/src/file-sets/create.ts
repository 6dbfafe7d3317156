import type { RegistryContext } from '../context.ts';
import { hashFileSet, openFileSet } from './hash-file-set.ts';
import { checkTarget, placeFileSet } from './place-file-set.ts';
import { keepResults, openResults } from './results.ts';
import type { FileSets } from './types.ts';

export function createFileSets(context: RegistryContext): FileSets {
  return {
    hashFileSet: async (path, options) => await hashFileSet(context, path, options),
    openFileSet,
    keepResults: async (output, notes, options) => await keepResults(context, output, notes, options),
    openResults,
    checkTarget: async (target, wanted) => await checkTarget(context, target, wanted),
    placeFileSet: async (options) => await placeFileSet(context, options),
  };
}
