import type { Dirent } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  atStorage,
  isLeftTemporary,
  isMissing,
  listFolder,
  removeLeftTakerFiles,
  removeTemporaries,
  syncFolder,
} from '@model-rtc/files';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import { changeIndex, freeId } from '../entry/registry-index.ts';
import { folderNameSchema, type RegistryIndex, type StoredEntry } from '../entry/types.ts';
import type { DataPaths } from './data-folder.ts';
import { makeDataFolder } from './folder-modes.ts';
import { readEntryNote, readManifestNote } from './model-notes.ts';
import { isTrashName, keepTrashed, listTrash, purgeLater } from './trash.ts';

/** Whether there is anything to finish. It takes no lock, so that a reader does not wait for writers. */
export async function needsRecovery(paths: DataPaths, index: RegistryIndex): Promise<boolean> {
  const staged = await listFolder(paths.staging);
  if (staged.some(({ name }) => isTrashName(name))) return true;
  const items = await listFolder(paths.models);
  return items.some(
    (item) => (isModelFolder(item) && !index.byFolder.has(item.name)) || isLeftTemporary(paths.registryFile, item.name),
  );
}

/**
 * Finishes what a killed process began. Call it under the registry's lock, so that nobody else changes `models/`. It undoes
 * or completes a replacement or removal that was cut off, and registers a model folder that the index does not know.
 * @param isLost whether the index could not be read, so that nobody knows which models were removed
 */
export async function recoverFolders(
  paths: DataPaths,
  index: RegistryIndex,
  isLost: boolean,
  log: Log,
): Promise<RegistryIndex> {
  await atStorage(paths.root, 'prepared', async () => {
    await makeDataFolder(paths.models);
    await makeDataFolder(paths.staging);
  });
  await removeTemporaries(paths.registryFile);
  await removeLeftTakerFiles(paths.models);
  const known = await finishRemovals(paths, index, isLost, log);
  return await adoptFolders(paths, known, log);
}

async function finishRemovals(
  paths: DataPaths,
  index: RegistryIndex,
  isLost: boolean,
  log: Log,
): Promise<RegistryIndex> {
  let known = index;
  for (const item of await listTrash(paths)) {
    const { path, folder, reason } = item;
    // A folder that the index does not know was removed for good.
    const isKnown = known.byFolder.has(folder) || isLost;
    if (isKnown && (await moveBack(path, join(paths.models, folder)))) {
      await syncFolder(paths.models);
      log.warn({ folder, reason }, 'a change was cut off before the index was written: the files are back');
      continue;
    }
    if (reason === 'replaced') known = await takeReplacement(paths, known, folder, log);
    try {
      await (reason === 'keeping' ? keepTrashed(paths, item) : purgeLater(paths, path));
    } catch (error) {
      // What cannot be cleared away must not keep anyone from their models.
      log.warn({ path, error }, 'a removed model cannot be cleared away');
    }
  }
  return known;
}

/** False when the new folder is there, since a rename does not replace a folder that has something in it. */
async function moveBack(trashed: string, place: string): Promise<boolean> {
  const there = await listFolder(place);
  if (there.length > 0) return false;
  await atStorage(place, 'restored', async () => await rename(trashed, place));
  return true;
}

/** The new files are in place, but the index may still describe the old ones. */
async function takeReplacement(
  paths: DataPaths,
  index: RegistryIndex,
  folder: string,
  log: Log,
): Promise<RegistryIndex> {
  const old = index.byFolder.get(folder);
  if (old === undefined) return index;
  try {
    const entry = await readFolder(paths, folder);
    // A version of a static registry keeps its folder when its content changes.
    if (entry.digest !== old.digest) return adopt(paths, changeIndex(index, { remove: [old.id] }), entry, log);
    const { id, alias } = old;
    return changeIndex(index, { put: [{ ...entry, id, alias: entry.alias ?? alias }] });
  } catch (thrown) {
    log.warn({ folder, error: thrown }, 'a replaced model cannot be read: its old entry stays');
    return index;
  }
}

const MOVE_AWAY = 'Move it to kept/: model-rtc client clean-models';

async function adoptFolders(paths: DataPaths, index: RegistryIndex, log: Log): Promise<RegistryIndex> {
  let known = index;
  for (const item of await listFolder(paths.models)) {
    if (!item.isDirectory() || known.byFolder.has(item.name) || !folderNameSchema.safeParse(item.name).success)
      continue;
    try {
      known = adopt(paths, known, await readFolder(paths, item.name), log);
    } catch (thrown) {
      log.warn(
        { folder: item.name, error: thrown },
        `${join(paths.models, item.name)} holds no readable model and is left alone: ${flawOf(thrown)} ${MOVE_AWAY}`,
      );
    }
  }
  return known;
}

function flawOf(thrown: unknown): string {
  return isMissing(thrown) ? 'it has no notes of its own.' : ModelRtcError.from(thrown).message;
}

/** The entry in a folder's own notes, checked against its manifest. */
async function readFolder(paths: DataPaths, folder: string): Promise<StoredEntry> {
  const place = join(paths.models, folder);
  const entry = await readEntryNote(place, folder);
  if (entry.digest !== undefined) await readManifestNote(place, entry.digest);
  return entry;
}

function adopt(paths: DataPaths, index: RegistryIndex, found: StoredEntry, log: Log): RegistryIndex {
  const { digest, alias, folder } = found;
  if (digest !== undefined && index.byDigest.has(digest)) {
    const known = index.byDigest.get(digest)?.id;
    log.warn(
      { folder, digest },
      `${join(paths.models, folder)} holds model ${known}, which another folder has already, and is left alone. ${MOVE_AWAY}`,
    );
    return index;
  }
  if (digest === undefined && index.byId.has(found.id)) {
    throw new ModelRtcError('ambiguous', `Two model folders have the run id ${found.id}. Remove one of them.`);
  }
  const rightId = digest === undefined || (digest.startsWith(found.id) && found.id.length >= 8);
  const id = rightId && !index.byId.has(found.id) ? found.id : freeId(index, digest ?? found.id);
  const free = alias !== undefined && !index.byAlias.has(alias);
  if (alias !== undefined && !free)
    log.warn(
      { folder, alias },
      `Model ${id} is found again without its alias "${alias}", which another model has. Name it: model-rtc client tag-model ${id} ALIAS`,
    );
  log.info({ folder, id }, 'a model folder that the registry did not know is now registered');
  return changeIndex(index, { put: [{ ...found, id, alias: free ? alias : undefined }] });
}

function isModelFolder(item: Dirent): boolean {
  return item.isDirectory() && folderNameSchema.safeParse(item.name).success;
}
