import type { RegistryContext } from '../context.ts';
import type { Validation } from './types.ts';

/** Loads everything on first use, since most commands validate nothing. */
export function createValidation(context: RegistryContext): Validation {
  return {
    async validate(ref, options) {
      const { validateModel } = await import('./validate-model.ts');
      return await validateModel(context, ref, options);
    },
  };
}
