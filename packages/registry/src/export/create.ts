import type { RegistryContext } from '../context.ts';
import type { Exports } from './types.ts';

/** Loads the code on first use: most commands do not need it. */
export function createExports(context: RegistryContext): Exports {
  return {
    async exportToTool(ref, folder, options) {
      const { exportToTool } = await import('./export-to-tool.ts');
      return await exportToTool(context, ref, folder, options);
    },
  };
}
