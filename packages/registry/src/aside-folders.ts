import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './atomic-file.ts';
import type { DataPaths } from './data-folder.ts';
import { folderNameSchema } from './index-schema.ts';
import { atStorage, isMissing } from './storage-error.ts';

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
/** Random characters tell apart two removals of one folder, so that each clears away only its own. */
const REMOVED = /^(deleting|keeping)-[0-9a-f]{8}-(.+)$/;
/** What is about to be deleted whatever happens; nothing brings it back, since some of it may be gone already. */
const DOOMED = 'doomed-';

export function replacedFolder(paths: DataPaths, folder: string): string {
  return join(paths.staging, `${REPLACED}${folder}`);
}

/** Whether something in `staging/` waits for the index to decide over it, or to be deleted. */
export function isAsideName(name: string): boolean {
  return name.startsWith(DOOMED) || parseAside(name) !== undefined;
}

function parseAside(name: string): Omit<AsideFolder, 'path'> | undefined {
  const removed = REMOVED.exec(name);
  const reason = name.startsWith(REPLACED) ? 'replaced' : (removed?.[1] as AsideReason | undefined);
  const folder = name.startsWith(REPLACED) ? name.slice(REPLACED.length) : removed?.[2];
  if (reason === undefined || !folderNameSchema.safeParse(folder).success) return undefined;
  return { reason, folder: folder as string };
}

/** What killed processes left aside, and what they had not deleted yet. */
export async function listAside({ staging }: DataPaths): Promise<{ aside: AsideFolder[]; doomed: string[] }> {
  const names = await readdir(staging).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
  const aside = names.flatMap((name) => {
    const parsed = parseAside(name);
    return parsed === undefined ? [] : [{ ...parsed, path: join(staging, name) }];
  });
  return { aside, doomed: names.filter((name) => name.startsWith(DOOMED)).map((name) => join(staging, name)) };
}

/** Moves a registered folder out of `models/` in one step; undefined when it is not there. */
export async function setAside(
  paths: DataPaths,
  folder: string,
  reason: AsideReason,
): Promise<AsideFolder | undefined> {
  const place = join(paths.models, folder);
  const path =
    reason === 'replaced'
      ? replacedFolder(paths, folder)
      : join(paths.staging, `${reason}-${randomBytes(4).toString('hex')}-${folder}`);
  return await atStorage(place, reason === 'replaced' ? 'replaced' : 'removed', async () => {
    try {
      await rename(place, path);
      return { path, reason, folder };
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  });
}

/** Deletes a folder that stands aside for good. A link in it is removed, and what it leads to stays. */
export async function deleteAside(paths: DataPaths, path: string): Promise<void> {
  // Renamed first: a process that is killed in the middle must not leave half a model that could come back.
  const doomed = join(paths.staging, `${DOOMED}${randomBytes(8).toString('hex')}`);
  await atStorage(path, 'deleted', async () => {
    await rename(path, doomed).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown;
    });
    await rm(doomed, { recursive: true, force: true });
  });
}

/** Moves a folder that stands aside to `kept/`, under its own name or one made from it. */
export async function keepAside(paths: DataPaths, { path, folder }: AsideFolder): Promise<string> {
  return await atStorage(path, `moved to ${paths.kept}`, async () => {
    await mkdir(paths.kept, { recursive: true });
    const taken = new Set(await readdir(paths.kept));
    let name = folder;
    for (let number = 2; taken.has(name); number++) name = `${folder}-${number}`;
    const kept = join(paths.kept, name);
    await rename(path, kept);
    await syncFolder(paths.kept);
    return kept;
  });
}
