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
    async findOrphans() {
      const { findOrphans } = await import('./find-orphans.ts');
      return await findOrphans(context);
    },
    async relink(ref, path, options = {}) {
      const { relinkModel } = await import('./relink-model.ts');
      return await relinkModel(await verifyContext(), ref, path, options);
    },
    async openRepairChunks(digest, manifest, damagedChunks) {
      const { openRepairChunks } = await import('./repair-chunks.ts');
      return await openRepairChunks(context, digest, manifest, damagedChunks);
    },
    async replaceFiles(digest, options) {
      const { replaceFiles } = await import('./replace-files.ts');
      return await replaceFiles(context, digest, options);
    },
  };
}
