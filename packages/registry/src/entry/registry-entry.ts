import { access, existsSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DisplayStatus, type ModelEntry, modelEntrySchema, modelPathProblem } from '@model-rtc/protocol';
import type { RegistryEntry, StoredEntry } from './types.ts';

/** A stored entry as callers get it: with its place on this machine, and with its status as the disk shows it now. */
export async function toRegistryEntry(stored: StoredEntry, models: string): Promise<RegistryEntry> {
  const { folder, ...entry } = stored;
  const localPath = stored.filesIn ?? join(models, folder);
  // Lists have ten thousand of these, so only this one copy is made, to leave the folder out.
  return Object.assign(entry, { localPath, displayStatus: await displayStatus(stored, localPath) });
}

/**
 * The part of an entry that other machines may see: only what the protocol names, so that no path of this machine leaks.
 */
export function toModelEntry(entry: RegistryEntry): ModelEntry {
  return modelEntrySchema.parse(entry);
}

/** Looks only at the model's main file, since a list does this for each of its lines. `check` looks at all files. */
export async function displayStatus(stored: StoredEntry, localPath: string): Promise<DisplayStatus> {
  const { checkpointPath, linked, status } = stored;
  if (stored.digest === undefined) return await runStatus(stored);
  const inModel = checkpointPath !== undefined && modelPathProblem(checkpointPath) === undefined;
  const path = inModel ? join(localPath, checkpointPath) : localPath;
  // In the data folder, which this process reads and maps all the time, a look takes microseconds and asking for one several
  // times that. Originals may lie on a disk that is far away, or hangs.
  if (linked ? await exists(path) : existsSync(path)) return status;
  const isLink = await lstat(path).then(
    () => true,
    () => false,
  );
  return isLink ? 'broken_symlink' : 'checkpoint_missing';
}

/** A run's files are where it trains; the registry does not own them yet. */
async function runStatus({ status, originalPath }: StoredEntry): Promise<DisplayStatus> {
  const isThere = originalPath === undefined || (await exists(originalPath));
  return isThere ? status : 'checkpoint_missing';
}

/** Whether something is at a path, following links. Called so often that the cost of `fs/promises` would show. */
async function exists(path: string): Promise<boolean> {
  return await new Promise((resolve) => access(path, (error) => resolve(error === null)));
}
