import type { RegistryContext } from '../context.ts';
import type { Validation } from './types.ts';

/** Loads everything on first use, since most commands validate nothing. */
export function createValidation(context: RegistryContext): Validation {
  return {
    validate: async (ref, options) => await (await import('./validate-model.ts')).validateModel(context, ref, options),
    entriesWithoutFolders: async () => await (await import('./registry-entries.ts')).entriesWithoutFolders(context),
    dropEntry: async (id) => await (await import('./registry-entries.ts')).dropEntry(context, id),
    noteCheck: async (digest, result, version) =>
      await (await import('./registry-entries.ts')).noteCheck(context, digest, result, version),
  };
}
