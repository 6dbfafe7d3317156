import type { RegistryContext } from '../context.ts';
import type { Archives } from './types.ts';

/** Loads the code that writes and reads archives on first use: most commands do not need it. */
export function createArchives(context: RegistryContext): Archives {
  return {
    async exportModel(ref, toPath, options = {}) {
      const { exportModel } = await import('./export-model.ts');
      return await exportModel(context, ref, toPath, options);
    },
    async isArchive(path) {
      const { isArchive } = await import('./read-members.ts');
      return await isArchive(path);
    },
    async importArchive(path, options = {}) {
      const { importArchive } = await import('./import-archive.ts');
      return await importArchive(context, path, options);
    },
  };
}
