import { join } from 'node:path';
import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import type { DataPaths } from '../store/data-folder.ts';
import { readManifestNote, readStatsNote } from '../store/model-notes.ts';
import type { FileStat } from '../store/types.ts';
import { checkFiles } from './check-files.ts';
import type { ModelPlace, RegisteredModel } from './types.ts';

/** Where a model's files are: in the folder of its notes, unless it is served in place. */
export function placeOf({ models }: DataPaths, { folder, linked, filesIn }: StoredEntry): ModelPlace {
  return { path: filesIn ?? join(models, folder), linked };
}

/** The model's own folder in `models/`, with its notes. */
export function notesFolderOf({ models }: DataPaths, { folder }: StoredEntry): string {
  return join(models, folder);
}

/** @throws ModelRtcError `storage` when the notes are missing, damaged or contradict each other */
export async function readRegistered(
  { paths, readManifest }: RegistryContext,
  stored: StoredEntry,
): Promise<RegisteredModel> {
  const place = placeOf(paths, stored);
  const notes = notesFolderOf(paths, stored);
  const [manifest, stats] = await Promise.all([readManifest(stored), readStatsNote(notes)]);
  return { place, manifest, stats: inOrderOf(manifest, stats) };
}

/** Offsets count the manifest's files, so the notes of the files must be in that order. */
function inOrderOf(manifest: Manifest, stats: readonly FileStat[]): FileStat[] {
  const byPath = new Map(stats.map((stat) => [stat.path, stat]));
  return manifest.files.map(({ path, size }) => {
    const stat = byPath.get(path);
    if (stat?.size === size) return stat;
    const sentence = `The notes about ${path} contradict the model's manifest. To see what is wrong, run: model-rtc client verify.`;
    throw new ModelRtcError('storage', sentence, { details: { path } });
  });
}

/** Whether a registered model's files and notes are as they were; a damaged one is replaced by whatever comes whole. */
export async function isWhole({ paths }: RegistryContext, stored: StoredEntry): Promise<boolean> {
  const path = notesFolderOf(paths, stored);
  try {
    if (stored.digest !== undefined) await readManifestNote(path, stored.digest);
    return (await checkFiles(placeOf(paths, stored), await readStatsNote(path))).valid;
  } catch {
    return false;
  }
}
