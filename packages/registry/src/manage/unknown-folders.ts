import { join } from 'node:path';
import { listFolder, listTree, ownBytes } from '@model-rtc/files';
import type { RegistryContext } from '../context.ts';
import { folderNameSchema } from '../entry/types.ts';
import { keepTrashed, moveToTrash, type TrashedFolder } from '../store/trash.ts';
import type { UnknownFolder } from './types.ts';

/**
 * The folders in `models/` that hold no model which could be registered. Asked under the registry's lock, after recovery, so
 * that a model that is being installed is not among them.
 */
export async function listUnknownFolders({ index, paths }: RegistryContext): Promise<UnknownFolder[]> {
  return await index.update(async (known) => {
    const items = await listFolder(paths.models);
    const unknown = items.filter(
      (item) => item.isDirectory() && folderNameSchema.safeParse(item.name).success && !known.byFolder.has(item.name),
    );
    const result: UnknownFolder[] = [];
    for (const { name } of unknown) {
      const path = join(paths.models, name);
      const files = (await listTree(path)).filter(({ entry }) => entry.isFile()).length;
      result.push({ folder: name, path, files, bytes: await ownBytes(path) });
    }
    return { result };
  });
}

/** Nobody knows what its files are worth. See `Management`. */
export async function keepUnknownFolder(
  { index, paths }: RegistryContext,
  folder: string,
): Promise<string | undefined> {
  const trashed = await index.update(async (known): Promise<{ result: TrashedFolder | undefined }> => {
    const isModel = known.byFolder.has(folder) || !folderNameSchema.safeParse(folder).success;
    return { result: isModel ? undefined : await moveToTrash(paths, folder, 'keeping') };
  });
  return trashed === undefined ? undefined : await keepTrashed(paths, trashed);
}
