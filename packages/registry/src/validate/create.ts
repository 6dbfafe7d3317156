import type { RegistryContext } from '../context.ts';
import type { Validation } from './types.ts';

/** Loads everything on first use, since most commands validate nothing. */
export function createValidation(context: RegistryContext): Validation {
  return {
    async validate(ref, options) {
      const { validateModel } = await import('./validate-model.ts');
      return await validateModel(context, ref, options);
    },
    async entriesWithoutFolders() {
      const { entriesWithoutFolders } = await import('./registry-entries.ts');
      return await entriesWithoutFolders(context);
    },
    async dropEntry(id) {
      const { dropEntry } = await import('./registry-entries.ts');
      return await dropEntry(context, id);
    },
    async noteCheck(digest, result, version) {
      const { noteCheck } = await import('./registry-entries.ts');
      await noteCheck(context, digest, result, version);
    },
  };
}
