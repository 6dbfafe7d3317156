import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { atStorage, exists, ignoreMissing, listFolder, syncFolder, tryLock, withLock } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { folderNameSchema } from '../entry/types.ts';
import type { DataPaths } from './data-folder.ts';

/**
 * A model's folder stands aside in `staging/` while the index is written, so that a crash before that brings it back.
 * - `replaced`: another folder takes its place
 * - `deleting`: the model goes, and its files with it
 * - `keeping`: the model goes, and its files move to `kept/`
 */
export type AsideReason = 'replaced' | 'deleting' | 'keeping';

export interface AsideFolder {
  readonly path: string;
  readonly reason: AsideReason;
  /** What it is called in `models/`. */
  readonly folder: string;
}

const REPLACED = 'replaced-';
/** Eight characters tell apart two removals of one folder, so that each clears away only its own. */
const REMOVED = /^(deleting|keeping)-([0-9a-f]{8})-(.+)$/;
/** What is about to be deleted whatever happens; nothing brings it back, since some of it may be gone already. */
const DOOMED_NAME = /^(doomed-[0-9a-f]{16})(\.lock)?$/;

export function replacedFolder(paths: DataPaths, folder: string): string {
  return join(paths.staging, `${REPLACED}${folder}`);
}

/** Whether something in `staging/` waits for the index to decide over it, or to be deleted. */
export function isAsideName(name: string): boolean {
  return DOOMED_NAME.test(name) || parseAside(name) !== undefined;
}

function parseAside(name: string): Omit<AsideFolder, 'path'> | undefined {
  const removed = REMOVED.exec(name);
  const reason = name.startsWith(REPLACED) ? 'replaced' : (removed?.[1] as AsideReason | undefined);
  const folder = name.startsWith(REPLACED) ? name.slice(REPLACED.length) : removed?.[3];
  if (reason === undefined || !folderNameSchema.safeParse(folder).success) return undefined;
  return { reason, folder: folder as string };
}

/** What killed processes left aside. */
export async function listAside({ staging }: DataPaths): Promise<AsideFolder[]> {
  return (await listFolder(staging)).flatMap(({ name }) => {
    const parsed = parseAside(name);
    return parsed === undefined ? [] : [{ ...parsed, path: join(staging, name) }];
  });
}

/**
 * Moves a registered folder out of `models/` in one step; undefined when it is not there. It is called under the registry's
 * lock.
 */
export async function setAside(
  paths: DataPaths,
  folder: string,
  reason: AsideReason,
): Promise<AsideFolder | undefined> {
  const place = join(paths.models, folder);
  return await atStorage(place, reason === 'replaced' ? 'replaced' : 'removed', async () => {
    const path = await ASIDE_PATHS[reason](paths, folder);
    const isThere = await moveIfThere(place, path);
    return isThere ? { path, reason, folder } : undefined;
  });
}

const ASIDE_PATHS: Readonly<Record<AsideReason, (paths: DataPaths, folder: string) => Promise<string>>> = {
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

/** Where the files of a folder that stands aside to be kept end up: under its own name, or one made from it. */
function keptPath(paths: DataPaths, asidePath: string, folder: string): string {
  const number = Number(REMOVED.exec(basename(asidePath))?.[2]);
  return join(paths.kept, number > 1 ? `${folder}-${number}` : folder);
}

/** Deletes a folder that stands aside for good. A link in it is removed, and what it leads to stays. */
export async function deleteAside(paths: DataPaths, path: string): Promise<void> {
  const doomed = doomedPath(paths);
  // The lock says that the deleting process lives, so that no other one helps it.
  await withLock(`${doomed}.lock`, {}, async () => {
    await atStorage(path, 'deleted', async () => {
      await moveIfThere(path, doomed);
      await rm(doomed, { recursive: true, force: true });
    });
  });
}

/**
 * Gives a folder that stands aside over to `removeDoomed`. Deleting takes time, and whoever recovers holds the registry's
 * lock; half a model must not come back, and so the folder loses its name before its first file goes.
 */
export async function doomAside(paths: DataPaths, path: string): Promise<void> {
  await moveIfThere(path, doomedPath(paths));
}

/** Deletes what is doomed and nobody is deleting; called without the registry's lock. */
export async function removeDoomed({ staging }: DataPaths, log: Log): Promise<void> {
  const items = await listFolder(staging);
  const doomed = new Set(items.map(({ name }) => DOOMED_NAME.exec(name)?.[1]).filter((name) => name !== undefined));
  for (const name of doomed) {
    const path = join(staging, name);
    try {
      await tryLock(`${path}.lock`, () => rm(path, { recursive: true, force: true }));
    } catch (error) {
      // What cannot be deleted must not keep anyone from their models.
      log.warn({ path, error }, 'a removed model cannot be deleted');
    }
  }
}

function doomedPath({ staging }: DataPaths): string {
  return join(staging, `doomed-${randomBytes(8).toString('hex')}`);
}

/** False when it is not there: another process may have moved it. */
async function moveIfThere(from: string, to: string): Promise<boolean> {
  return (await ignoreMissing(rename(from, to).then(() => true))) ?? false;
}

/** Moves a folder that stands aside to `kept/`, unless another process has. */
export async function keepAside(paths: DataPaths, { path, folder }: AsideFolder): Promise<string> {
  const kept = keptPath(paths, path, folder);
  return await atStorage(path, `moved to ${kept}`, async () => {
    await mkdir(paths.kept, { recursive: true });
    await moveIfThere(path, kept);
    await syncFolder(paths.kept);
    return kept;
  });
}
