import { join } from 'node:path';
import type { StoredEntry } from '../index-schema.ts';
import { type FileStat, updateEntryNote, updateStatsNote } from '../model-folder.ts';
import type { RegistryContext } from '../registry-context.ts';

/**
 * Writes what is noted in a model's folder anew, under the registry's lock: a model that was replaced meanwhile has notes of
 * its own by then, and keeps them.
 * @param stats what the files were while their bytes were found right, all of them
 */
export async function settleNotes(
  { index, paths }: RegistryContext,
  stored: StoredEntry,
  stats: readonly FileStat[],
): Promise<void> {
  await index.update(async ({ byDigest }) => {
    const now = stored.digest === undefined ? undefined : byDigest.get(stored.digest);
    if (now !== undefined && now.folder === stored.folder && now.linked === stored.linked) {
      const folder = join(paths.models, now.folder);
      await updateStatsNote(folder, stats);
      await updateEntryNote(folder, now);
    }
    return { result: undefined };
  });
}
