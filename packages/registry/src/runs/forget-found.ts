import type { Manifest } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import { entriesAt } from '../entry/registry-index.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { type AsideFolder, deleteAside, setAside } from '../store/trash.ts';

/** An entry whose folder stands aside until the index is written without it. */
export interface LeavingEntry {
  readonly stored: StoredEntry;
  readonly manifest: Manifest | undefined;
  readonly aside: AsideFolder | undefined;
}

/** Takes out what was found at a path. What a person imported from there is theirs, and stays. */
export async function takeOut(context: RegistryContext, path: string): Promise<void> {
  if (foundAt(await context.index.read(), path).length === 0) return;
  const leaving = await context.index.update(async (index) => {
    const found = foundAt(index, path);
    const result = await Promise.all(found.map((stored) => leave(context, stored)));
    return { result, remove: found.map(({ id }) => id) };
  });
  for (const entry of leaving) await clearAway(context, entry);
}

function foundAt(index: RegistryIndex, path: string): StoredEntry[] {
  return entriesAt(index, path).filter(({ digest, foundIn }) => digest === undefined || foundIn !== undefined);
}

/** To be called while the index changes. */
export async function leave(context: RegistryContext, stored: StoredEntry): Promise<LeavingEntry> {
  const manifest = stored.digest === undefined ? undefined : await context.readManifest(stored).catch(() => undefined);
  return { stored, manifest, aside: await setAside(context.paths, stored.folder, 'deleting') };
}

/** To be called when the index is written. The folder holds links and notes: what they lead to stays. */
export async function clearAway(context: RegistryContext, { stored, manifest, aside }: LeavingEntry): Promise<void> {
  if (aside !== undefined) await deleteAside(context.paths, aside.path);
  if (stored.digest !== undefined) await updateChunks(context, 'remove', stored.digest, manifest);
}
