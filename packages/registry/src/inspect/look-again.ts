import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import { COMPLETENESS_CHECK, type StoredEntry } from '../entry/types.ts';
import { readRegistered } from '../files/registered-model.ts';
import { updateEntryNote } from '../store/model-notes.ts';
import { findComponents, findIncomplete, toIncomplete } from './find-incomplete.ts';

/**
 * Looks into a model that was registered before this version's check for what models lack, and notes what it found. Reads headers
 * alone, and only once for each model.
 */
export async function lookIfWhole(
  context: RegistryContext,
  digest: Digest,
  signal?: AbortSignal,
): Promise<StoredEntry> {
  const stored = await requireModel(context, digest);
  if (stored.completenessCheck === COMPLETENESS_CHECK) return stored;
  const { place, manifest, stats } = await readRegistered(context, stored);
  const files = manifest.files.map(({ path, size }, i) => ({
    ...{ path, size, mode: 0, absolutePath: join(place.path, path) },
    mtimeNs: stats[i]?.mtimeNs ?? 0n,
  }));
  const flaws = await findIncomplete(context.reading, files, signal);
  const incomplete = toIncomplete(flaws);
  const components = await findComponents(context.reading, files, flaws, signal);
  return await context.index.update(async ({ byDigest }) => {
    const now = byDigest.get(digest);
    // Removed or replaced meanwhile.
    if (now === undefined || now.folder !== stored.folder) return { result: { ...stored, incomplete, components } };
    const looked = { ...now, incomplete, components, completenessCheck: COMPLETENESS_CHECK };
    if (isDeepStrictEqual(now, looked)) return { result: now };
    await updateEntryNote(join(context.paths.models, now.folder), looked);
    return { result: looked, put: [looked] };
  });
}
