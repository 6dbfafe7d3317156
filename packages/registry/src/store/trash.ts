import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { atStorage, exists, ignoreMissing, listFolder, syncFolder, tryLock, withLock } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { folderNameSchema } from '../entry/types.ts';
import type { DataPaths } from './data-folder.ts';
import { makeDataFolder } from './folder-modes.ts';

/**
 * Why a model's folder is in the trash. It lies there, in `staging/`, while the index is written, so that a crash before that
 * brings it back.
 * - `replaced`: another folder takes its place
 * - `deleting`: the model goes, and its files with it
 * - `keeping`: the model goes, and its files move to `kept/`
 */
export type TrashReason = 'replaced' | 'deleting' | 'keeping';

export interface TrashedFolder {
  readonly path: string;
  readonly reason: TrashReason;
  /** Its name in `models/`. */
  readonly folder: string;
}

const REPLACED = 'replaced-';
/** Eight characters tell apart two removals of one folder, so that each clears away only its own. */
const REMOVED = /^(deleting|keeping)-([0-9a-f]{8})-(.+)$/;
/** A folder that is being purged. Nothing brings it back, since some of it may be gone already. */
const PURGED = /^(doomed-[0-9a-f]{16})(\.lock)?$/;

export function replacedFolder(paths: DataPaths, folder: string): string {
  return join(paths.staging, `${REPLACED}${folder}`);
}

/** Whether a name in `staging/` is that of something in the trash. */
export function isTrashName(name: string): boolean {
  return PURGED.test(name) || parseTrashName(name) !== undefined;
}

function parseTrashName(name: string): Omit<TrashedFolder, 'path'> | undefined {
  const removed = REMOVED.exec(name);
  const reason = name.startsWith(REPLACED) ? 'replaced' : (removed?.[1] as TrashReason | undefined);
  const folder = name.startsWith(REPLACED) ? name.slice(REPLACED.length) : removed?.[3];
  if (reason === undefined || !folderNameSchema.safeParse(folder).success) return undefined;
  return { reason, folder: folder as string };
}

/** What killed processes left in the trash. */
export async function listTrash({ staging }: DataPaths): Promise<TrashedFolder[]> {
  return (await listFolder(staging)).flatMap(({ name }) => {
    const parsed = parseTrashName(name);
    return parsed === undefined ? [] : [{ ...parsed, path: join(staging, name) }];
  });
}

/**
 * Moves a registered folder out of `models/` in one step; undefined when it is not there. Call it under the registry's lock.
 */
export async function moveToTrash(
  paths: DataPaths,
  folder: string,
  reason: TrashReason,
): Promise<TrashedFolder | undefined> {
  const place = join(paths.models, folder);
  return await atStorage(place, reason === 'replaced' ? 'replaced' : 'removed', async () => {
    const path = await TRASH_PATHS[reason](paths, folder);
    return (await moveIfThere(place, path)) ? { path, reason, folder } : undefined;
  });
}

const TRASH_PATHS: Readonly<Record<TrashReason, (paths: DataPaths, folder: string) => Promise<string>>> = {
  replaced: async (paths, folder) => replacedFolder(paths, folder),
  deleting: async (paths, folder) => join(paths.staging, `deleting-${randomBytes(4).toString('hex')}-${folder}`),
  keeping: async (paths, folder) => {
    // The number is that of the name in `kept/`, so that whoever moves it there, this process or the next, uses the same.
    for (let number = 1; ; number++) {
      const path = join(paths.staging, `keeping-${String(number).padStart(8, '0')}-${folder}`);
      if (!(await exists(path)) && !(await exists(keptPath(paths, path, folder)))) return path;
    }
  },
};

/** Where the files of a trashed folder are kept: under its own name, or one made from it. */
function keptPath(paths: DataPaths, trashedPath: string, folder: string): string {
  const number = Number(REMOVED.exec(basename(trashedPath))?.[2]);
  return join(paths.kept, number > 1 ? `${folder}-${number}` : folder);
}

/** Deletes a trashed folder for good. A link in it is removed; its target stays. */
export async function deleteTrashed(paths: Pick<DataPaths, 'staging'>, path: string): Promise<void> {
  const purged = purgedPath(paths);
  // The lock says that the deleting process lives, so that no other one helps it.
  await withLock(`${purged}.lock`, {}, async () => {
    await atStorage(path, 'deleted', async () => {
      await moveIfThere(path, purged);
      await rm(purged, { recursive: true, force: true });
    });
  });
}

/**
 * Leaves a trashed folder to the next `purgeTrash`. Deleting takes time, and whoever recovers holds the registry's lock. Half a
 * model must not come back, so the folder loses its name before its first file goes.
 */
export async function purgeLater(paths: DataPaths, path: string): Promise<void> {
  await moveIfThere(path, purgedPath(paths));
}

/** Deletes what is to be purged and nobody is deleting. Call it without the registry's lock. */
export async function purgeTrash({ staging }: Pick<DataPaths, 'staging'>, log: Log): Promise<void> {
  const items = await listFolder(staging);
  const names = new Set(items.map(({ name }) => PURGED.exec(name)?.[1]).filter((name) => name !== undefined));
  for (const name of names) {
    const path = join(staging, name);
    try {
      await tryLock(`${path}.lock`, () => rm(path, { recursive: true, force: true }));
    } catch (error) {
      // What cannot be deleted must not keep anyone from their models.
      log.warn({ path, error }, 'a removed model cannot be deleted');
    }
  }
}

function purgedPath({ staging }: Pick<DataPaths, 'staging'>): string {
  return join(staging, `doomed-${randomBytes(8).toString('hex')}`);
}

/** False when it is not there: another process may have moved it. */
async function moveIfThere(from: string, to: string): Promise<boolean> {
  return (await ignoreMissing(rename(from, to).then(() => true))) ?? false;
}

/** Moves a trashed folder to `kept/`, unless another process has. */
export async function keepTrashed(paths: DataPaths, { path, folder }: TrashedFolder): Promise<string> {
  const kept = keptPath(paths, path, folder);
  return await atStorage(path, `moved to ${kept}`, async () => {
    await makeDataFolder(paths.kept);
    await moveIfThere(path, kept);
    await syncFolder(paths.kept);
    return kept;
  });
}
