import type { RegistryContext } from '../context.ts';
import type { Exports } from './types.ts';

/** Loads the code on first use: most commands do not need it. */
export function createExports(context: RegistryContext): Exports {
  return {
    exportToTool: async (ref, folder, options) =>
      await (await import('./export-to-tool.ts')).exportToTool(context, ref, folder, options),
  };
}
