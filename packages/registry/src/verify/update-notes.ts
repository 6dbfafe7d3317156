import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage } from '@model-rtc/files';
import { type Manifest, OWN_FOLDER } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import { updateEntryNote, updateManifestNote, updateStatsNote } from '../store/model-notes.ts';
import type { FileStat } from '../store/types.ts';

export interface RightNotes {
  /** What the files were while their bytes were found right, all of them. */
  readonly stats: readonly FileStat[];
  /** When it was lost, and was made again from the files. */
  readonly manifest?: Manifest | undefined;
}

/**
 * Writes what is noted in a model's folder anew, under the registry's lock: a model that was replaced meanwhile has notes of
 * its own by then, and keeps them.
 */
export async function settleNotes(
  context: RegistryContext,
  stored: StoredEntry,
  { stats, manifest }: RightNotes,
): Promise<void> {
  const { index, paths } = context;
  const { digest } = stored;
  if (digest === undefined) return;
  await index.update(async ({ byDigest }) => {
    const now = byDigest.get(digest);
    if (now === undefined || now.folder !== stored.folder || now.linked !== stored.linked) return { result: undefined };
    const folder = join(paths.models, now.folder);
    if (manifest !== undefined) {
      await atStorage(folder, 'written', async () => await mkdir(join(folder, OWN_FOLDER), { recursive: true }));
      await updateManifestNote(folder, manifest);
    }
    await updateStatsNote(folder, stats);
    await updateEntryNote(folder, now);
    return { result: undefined };
  });
  if (manifest === undefined) return;
  // It may be cut in another way, or have its files in another order, than the one that was lost.
  await updateChunks(context, 'remove', digest, undefined);
  await updateChunks(context, 'add', digest, manifest);
}
