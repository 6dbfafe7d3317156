import type { RegistryContext } from '../context.ts';
import type { Archives } from './types.ts';

/** Loads the code that writes and reads archives on first use: most commands do not need it. */
export function createArchives(context: RegistryContext): Archives {
  return {
    exportModel: async (ref, toPath, options = {}) =>
      await (await import('./export-model.ts')).exportModel(context, ref, toPath, options),
    isArchive: async (path) => await (await import('./read-members.ts')).isArchive(path),
    importArchive: async (path, options = {}) =>
      await (await import('./import-archive.ts')).importArchive(context, path, options),
  };
}
