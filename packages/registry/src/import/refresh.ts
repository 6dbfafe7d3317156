import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import { importModel } from './import-model.ts';
import type { ImportResult, WorkOptions } from './types.ts';

/** Imports a linked model again from where it was imported, in place of what it was. */
export async function refreshModel(
  context: RegistryContext,
  digest: Digest,
  options: WorkOptions,
): Promise<ImportResult> {
  const stored = await requireModel(context, digest);
  const { id, linked, originalPath, modelType, name, tags, notes, lineage, foundIn, source } = stored;
  if (!linked || originalPath === undefined) {
    const sentence = `The files of model ${id} are the registry's own, and not linked to originals that could be read again. Pull or import the model again to repair it.`;
    throw new ModelRtcError('refused', sentence, { details: { id, digest } });
  }
  const supersedes = { digest, name, tags, notes, lineage };
  // Once accepted, it may be so again; one that was whole may not become less unseen.
  const allowIncomplete = stored.incomplete !== undefined;
  const found = foundIn === undefined ? undefined : { foundIn, source };
  return await importModel(context, originalPath, {
    ...{ ...options, ...stored.importedWith },
    ...{ modelType, supersedes, found, allowIncomplete },
    withoutLinks: stored.filesIn === undefined ? undefined : 'in-place',
  });
}
