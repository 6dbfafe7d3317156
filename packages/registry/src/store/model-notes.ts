import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  atStorage,
  isMissing,
  removeTemporaries,
  storageError,
  syncFolder,
  writeFileAtomic,
  writeFileSynced,
} from '@model-rtc/files';
import {
  type Digest,
  type Manifest,
  ModelRtcError,
  manifestDigest,
  modelPathSchema,
  OWN_FOLDER,
  readManifest,
} from '@model-rtc/protocol';
import * as z from 'zod';
import { type StoredEntry, storedEntrySchema } from '../entry/types.ts';
import { namesMetadataFile, writeMetadataFile } from './metadata-file.ts';
import type { FileStat, FolderNotes } from './types.ts';

/** The longest manifest that the protocol allows, as JSON, is about this long. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

const entryFileSchema = z.object({
  version: z.literal(1),
  // The folder's own place gives its name.
  entry: storedEntrySchema.omit({ folder: true }),
});

const statsFileSchema = z.object({
  version: z.literal(1),
  files: z.array(
    z.object({ path: modelPathSchema, size: z.number().int().min(0), mtimeNs: z.string().regex(/^-?\d{1,20}$/) }),
  ),
});

const notePaths = (folder: string) => ({
  entry: join(folder, OWN_FOLDER, 'entry.json'),
  manifest: join(folder, OWN_FOLDER, 'manifest.json'),
  stats: join(folder, OWN_FOLDER, 'files.json'),
});

/** What is noted in a folder. Data of jobs has no entry. */
type WrittenNotes = Omit<FolderNotes, 'entry'> & Partial<Pick<FolderNotes, 'entry'>>;

/** Writes the notes into a staged folder, in place of earlier ones. All are on the disk when this resolves. */
export async function writeNotes(folder: string, { entry, manifest, stats }: WrittenNotes): Promise<void> {
  const own = join(folder, OWN_FOLDER);
  const paths = notePaths(folder);
  await atStorage(own, 'written', async () => {
    await rm(own, { recursive: true, force: true });
    await mkdir(own);
    if (manifest !== undefined) await writeFileSynced(paths.manifest, JSON.stringify(manifest));
    if (stats !== undefined) await writeFileSynced(paths.stats, encodeStats(stats));
    if (entry !== undefined) await writeFileSynced(paths.entry, encodeEntry(entry));
    await syncFolder(own);
    await syncFolder(folder);
  });
}

/** Replaces the entry in a registered model's folder; does nothing when the folder is gone. Call it under the registry's lock. */
export async function updateEntryNote(folder: string, entry: StoredEntry): Promise<void> {
  await updateNote(folder, notePaths(folder).entry, encodeEntry(entry), removeTemporaries);
  const { digest } = entry;
  await writeMetadataFile(folder, entry, async () => digest === undefined || (await hasMetadataFile(folder, digest)));
}

/** Whether a file of the model has the name; one whose list of files cannot be read may have it. */
async function hasMetadataFile(folder: string, digest: Digest): Promise<boolean> {
  const manifest = await readManifestNote(folder, digest).catch(() => undefined);
  return manifest === undefined || namesMetadataFile(manifest);
}

/** Replaces the noted sizes and times of the files. Call it when their bytes are known to be right. */
export async function updateStatsNote(folder: string, stats: readonly FileStat[]): Promise<void> {
  await updateNote(folder, notePaths(folder).stats, encodeStats(stats));
}

/** Replaces the manifest. It must have the same digest. */
export async function updateManifestNote(folder: string, manifest: Manifest): Promise<void> {
  await updateNote(folder, notePaths(folder).manifest, JSON.stringify(manifest));
}

async function updateNote(
  folder: string,
  path: string,
  text: string,
  clear: (path: string) => Promise<void> = async () => undefined,
): Promise<void> {
  try {
    const own = await lstat(join(folder, OWN_FOLDER));
    if (!own.isDirectory()) return;
    await clear(path);
    await writeFileAtomic(path, text);
  } catch (thrown) {
    if (!isMissing(thrown)) throw storageError(thrown, path, 'written');
  }
}

function encodeEntry({ folder: _, ...entry }: StoredEntry): string {
  return `${JSON.stringify({ version: 1, entry }, undefined, 2)}\n`;
}

function encodeStats(stats: readonly FileStat[]): string {
  const files = stats.map(({ path, size, mtimeNs }) => ({ path, size, mtimeNs: String(mtimeNs) }));
  return JSON.stringify({ version: 1, files });
}

/** @throws when the folder has no entry or a damaged one */
export async function readEntryNote(folder: string, folderName: string): Promise<StoredEntry> {
  const { entry } = entryFileSchema.parse(await readJson(notePaths(folder).entry, MAX_ENTRY_BYTES));
  return { ...entry, folder: folderName };
}

/** @throws ModelRtcError `storage` when it is damaged or belongs to another model */
export async function readManifestNote(folder: string, digest: Digest): Promise<Manifest> {
  const path = notePaths(folder).manifest;
  try {
    const manifest = await readManifest(await readJson(path, MAX_MANIFEST_BYTES));
    if (manifestDigest(manifest) !== digest) throw new Error('it is of another model');
    return manifest;
  } catch (thrown) {
    throw damagedNote(path, thrown);
  }
}

/** @throws ModelRtcError `storage` when they are damaged */
export async function readStatsNote(folder: string): Promise<FileStat[]> {
  const path = notePaths(folder).stats;
  try {
    const { files } = statsFileSchema.parse(await readJson(path, MAX_MANIFEST_BYTES));
    return files.map((file) => ({ ...file, mtimeNs: BigInt(file.mtimeNs) }));
  } catch (thrown) {
    throw damagedNote(path, thrown);
  }
}

function damagedNote(path: string, cause: unknown): ModelRtcError {
  const sentence = `${path} is missing or damaged. Repair it: model-rtc client verify --repair.`;
  return new ModelRtcError('storage', sentence, { cause, details: { path } });
}

async function readJson(path: string, maxBytes: number): Promise<unknown> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size > maxBytes) throw new Error(`${path} is longer than ${maxBytes} bytes`);
  return JSON.parse(await file.readFile('utf8'));
}
