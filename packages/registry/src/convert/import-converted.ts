import { manifestDigest, modelSize } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { HashCache } from '../hash/types.ts';
import type { EntryAdditions } from '../import/additions.ts';
import { type ImportWork, placeImported, resultOf } from '../import/place-imported.ts';
import type { ScannedModel } from '../import/scanned-model.ts';
import { withImportFolder } from '../import/staging.ts';
import type { ImportResult } from '../import/types.ts';
import { inPhase } from '../progress.ts';
import { convertedFacts, lookInto } from './converted-entry.ts';
import { makeConverted } from './make-converted.ts';

/** An import that has scanned its model and found it whole. */
export interface ScannedImport {
  /** Absolute, and without links. */
  readonly original: string;
  readonly scanned: ScannedModel;
  readonly additions: EntryAdditions;
  readonly hashCache: HashCache | undefined;
}

/**
 * Registers the converted copy of a scanned model; the original stays as it is.
 * @returns undefined where there is nothing to convert
 */
export async function importConverted(
  context: RegistryContext,
  { original, scanned, additions, hashCache }: ScannedImport,
  work: ImportWork,
): Promise<ImportResult | undefined> {
  const { signal, onProgress, makeRoom } = work;
  const { hashFiles } = await context.loadImportSteps();
  const originals = async () => {
    const hashed = await hashFiles(scanned.files, {
      signal,
      cache: hashCache,
      onProgress: inPhase(onProgress, 'hash'),
    });
    const { findDamagedBlobs, incompleteError } = await import('../inspect/find-incomplete.ts');
    const damaged = await findDamagedBlobs(scanned.files, hashed.manifest);
    // What it was made of would be lost with the note of it.
    if (damaged.length > 0) throw incompleteError(original, damaged);
    return hashed.manifest;
  };
  return await withImportFolder(context.paths.staging, async (staged) => {
    const made = await makeConverted(context, scanned.files, staged, { signal, onProgress, originals, makeRoom });
    if (made === undefined) return undefined;
    await makeRoom?.({ bytes: modelSize(made.manifest), digest: manifestDigest(made.manifest) });
    const looked = await lookInto(context, original, made, work);
    const facts = convertedFacts(scanned.facts, made);
    const { manifest, stats } = made;
    const files = { manifest, stats, linked: false };
    // Whoever looks at the path again finds the original there, which must not take the converted model's place.
    const placed = await placeImported(context, staged, undefined, { ...scanned, facts }, files, {
      ...{ ...work, ...looked, additions },
      conversion: { convertedFrom: made.convertedFrom, warnings: made.warnings },
    });
    return { ...(await resultOf(context, placed, manifest, scanned)), converted: made.converted };
  });
}
