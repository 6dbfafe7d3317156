import type { RegistryContext } from '../context.ts';
import type { VerifyContext } from './hash-found.ts';
import type { Verification } from './types.ts';

/** Loads everything on first use, since most commands verify nothing. */
export function createVerification(context: RegistryContext): Verification {
  let made: Promise<VerifyContext> | undefined;
  const verifyContext = (): Promise<VerifyContext> => {
    made ??= import('./hash-found.ts').then(({ createHashFound }) => ({ ...context, hashFound: createHashFound() }));
    return made;
  };
  return {
    async verify(ref, options = {}) {
      const { verifyModel } = await import('./verify-model.ts');
      return (await verifyModel(await verifyContext(), ref, options)).verified;
    },
    findOrphans: async () => await (await import('./find-orphans.ts')).findOrphans(context),
    relink: async (ref, path, options = {}) =>
      await (await import('./relink-model.ts')).relinkModel(await verifyContext(), ref, path, options),
    openRepairChunks: async (digest, manifest, damagedChunks) =>
      await (await import('./repair-chunks.ts')).openRepairChunks(context, digest, manifest, damagedChunks),
    replaceFiles: async (digest, options) =>
      await (await import('./replace-files.ts')).replaceFiles(context, digest, options),
  };
}
