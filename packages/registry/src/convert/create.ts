import type { RegistryContext } from '../context.ts';
import type { Conversions } from './types.ts';

export function createConversions(context: RegistryContext): Conversions {
  return {
    async convertModel(digest, options) {
      const { convertModel } = await import('./convert-model.ts');
      return await convertModel(context, digest, options);
    },
  };
}
