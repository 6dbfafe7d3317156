import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, mapLimit, writeFileAtomic } from '@model-rtc/files';
import type { CheckResult } from '@model-rtc/formats/validation';
import type { Digest } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';
import { makeDataFolder } from '../store/folder-modes.ts';
import { updateEntryNote } from '../store/model-notes.ts';

const LOOKS_AT_ONCE = 32;

/**
 * The entries whose folder in `models/` is gone. Asked under the registry's lock, after recovery, so that a model that is being
 * installed or replaced is not among them.
 */
export async function entriesWithoutFolders({ index, paths, show }: RegistryContext): Promise<RegistryEntry[]> {
  const stored = await index.update(async ({ byId }): Promise<{ result: StoredEntry[] }> => {
    const found = await mapLimit([...byId.values()], LOOKS_AT_ONCE, async (entry) =>
      (await isFolder(join(paths.models, entry.folder))) ? undefined : entry,
    );
    return { result: found.filter((entry) => entry !== undefined) };
  });
  return await Promise.all(stored.map(show));
}

/**
 * Takes an entry out of the index whose folder is gone. What a person said of the model stays: the entry is written into `kept/`.
 * @returns where it is now; undefined when the folder is there after all, or the entry gone
 */
export async function dropEntry(context: RegistryContext, id: string): Promise<string | undefined> {
  const { index, paths } = context;
  const dropped = await index.update(async ({ byId }) => {
    const stored = byId.get(id);
    if (stored === undefined || (await isFolder(join(paths.models, stored.folder)))) return { result: undefined };
    const kept = join(paths.kept, `${stored.folder}.entry`);
    await makeDataFolder(paths.kept);
    await atStorage(kept, 'written', async () => {
      await mkdir(kept, { recursive: true });
      await writeFileAtomic(join(kept, 'entry.json'), `${JSON.stringify(stored, undefined, 2)}\n`);
    });
    return { result: { stored, kept }, remove: [id] };
  });
  if (dropped?.stored.digest !== undefined) await updateChunks(context, 'remove', dropped.stored.digest, undefined);
  return dropped?.kept;
}

/** Notes in the entry of a model what one check found now; what the others found stays. */
export async function noteCheck(
  { index, paths, now }: RegistryContext,
  digest: Digest,
  result: CheckResult,
  version: string,
): Promise<void> {
  await index.update(async ({ byDigest }) => {
    const stored = byDigest.get(digest);
    if (stored === undefined) return { result: undefined };
    const others = (stored.validation?.results ?? []).filter(({ check }) => check !== result.check);
    const noted = { ...stored, validation: { at: now().toISOString(), version, results: [result, ...others] } };
    await updateEntryNote(join(paths.models, stored.folder), noted);
    return { result: undefined, put: [noted] };
  });
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
