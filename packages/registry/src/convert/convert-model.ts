import { join } from 'node:path';
import { type Digest, manifestDigest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';
import { readRegistered } from '../files/registered-model.ts';
import { type EntryDraft, placeModel } from '../import/place-model.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { withImportFolder } from '../import/staging.ts';
import type { WorkOptions } from '../import/types.ts';
import { convertedFacts, lookInto, withConversion } from './converted-entry.ts';
import { makeConverted } from './make-converted.ts';
import type { ConvertedFile } from './types.ts';

export interface ConvertOptions extends WorkOptions {
  /** Have the converted model take the place of this one, with its alias. Otherwise both are here. */
  readonly replace?: boolean | undefined;
}

export interface ConvertResult {
  /** The converted model; the model itself where there was nothing to convert. */
  readonly entry: RegistryEntry;
  /** Empty where there was nothing to convert. */
  readonly converted: readonly ConvertedFile[];
}

/** Registers the converted copy of a model that is here. */
export async function convertModel(
  context: RegistryContext,
  digest: Digest,
  { replace = false, signal, onProgress }: ConvertOptions = {},
): Promise<ConvertResult> {
  const stored = await requireModel(context, digest);
  const { place, manifest, stats } = await readRegistered(context, stored);
  const files = manifest.files.map(({ path, size }, i): ScannedFile => {
    return { path, size, mode: 0, absolutePath: join(place.path, path), mtimeNs: stats[i]?.mtimeNs ?? 0n };
  });
  // Copies are compared with what was registered, so that the originals need no hashing.
  const work = { signal, onProgress, originals: async () => manifest };
  return await withImportFolder(context.paths.staging, async (staged) => {
    const made = await makeConverted(context, files, staged, work);
    if (made === undefined) return { entry: await context.show(stored), converted: [] };
    const looked = await lookInto(context, stored.id, made, {
      signal,
      allowIncomplete: stored.incomplete !== undefined,
    });
    const placed = await placeModel(context, {
      ...{ staged, manifest: made.manifest, stats: made.stats, linked: false, originalPath: undefined, signal },
      digest: manifestDigest(made.manifest),
      draft: withConversion({ ...convertedFacts(saidOf(stored), made), ...looked }, made),
      alias: undefined,
      ifExists: undefined,
      importedWith: stored.importedWith,
      licenseAccepted: stored.licenseAccepted,
      supersedes: replace ? digest : undefined,
    });
    return { entry: await context.show(placed.stored), converted: made.converted };
  });
}

/** All that is said of a model but its names, and those of its files in a static registry. */
function saidOf(stored: StoredEntry): EntryDraft {
  const {
    id: _id,
    digest: _digest,
    alias: _alias,
    size: _size,
    fileCount: _count,
    releases: _releases,
    ...said
  } = stored;
  return said;
}
