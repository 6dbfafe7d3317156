import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelEntry, modelEntrySchema, modelPathProblem } from '@model-rtc/protocol';
import type { StoredEntry } from './index-schema.ts';
import type { DisplayStatus, RegistryEntry } from './registry-types.ts';

/** A stored entry as callers get it: with its place on this machine, and with what is wrong with it now. */
export async function toRegistryEntry(stored: StoredEntry, models: string): Promise<RegistryEntry> {
  const { folder, ...entry } = stored;
  const localPath = join(models, folder);
  return { ...entry, localPath, displayStatus: await displayStatus(stored, localPath) };
}

/** The part of an entry that other machines are told: what the protocol names, so that no path of this one gets out. */
export function toModelEntry(entry: RegistryEntry): ModelEntry {
  return modelEntrySchema.parse(entry);
}

/** Looks at the model's main file alone: it is asked for each line of a list. `check` looks at all of them. */
async function displayStatus(stored: StoredEntry, localPath: string): Promise<DisplayStatus> {
  const { checkpointPath, status } = stored;
  const inModel = checkpointPath !== undefined && modelPathProblem(checkpointPath) === undefined;
  const path = inModel ? join(localPath, checkpointPath) : localPath;
  if (await exists(() => stat(path))) return status;
  if (status === 'training' && stored.digest === undefined) return status;
  return (await exists(() => lstat(path))) ? 'broken_symlink' : 'checkpoint_missing';
}

async function exists(look: () => Promise<unknown>): Promise<boolean> {
  return await look().then(
    () => true,
    () => false,
  );
}
