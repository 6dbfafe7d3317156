import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, storageError, writeFileAtomic } from '@model-rtc/files';
import { type Digest, type Manifest, OWN_FOLDER, PUBLIC_HUB } from '@model-rtc/protocol';
import type { StoredEntry } from '../entry/types.ts';

/** Where people and other tools look for it, unless a file of the model has that name. */
export const METADATA_FILE = 'metadata.json';
/** Ours takes a few kilobytes. */
const MAX_METADATA_BYTES = 256 * 1024;

const ABOUT = {
  model_name: 'What the model is called on this machine. Commands of model-rtc take it as a reference.',
  model_id: 'The repository on the hub that the model comes from.',
  source: 'Where the model comes from: the address of its repository on the hub.',
  architecture_type: 'The family of the model, as its configuration says.',
  created_at: 'When the model came to this machine, in UTC.',
  license: 'The license that the repository names; null when it names none.',
  model_size: 'How many parameters the model has; null when nobody says.',
  file_size: 'The bytes of all files of the model. This file is not one of them.',
  revision: 'The commit of the repository.',
  digest: "The model's identity in model-rtc: the SHA-256 of the list of its files. This file does not count.",
} as const;

/**
 * Writes what is known of a model from a hub for people and other tools to read, into its folder. The model's own files come
 * first: where one of them has the name, ours goes to the registry's notes. Does nothing for other models, or when the folder is gone.
 * @param hasOwn - whether a file of the model has the name; called only if something else does not tell
 * @throws ModelRtcError `storage`, `storage_full`
 */
export async function writeMetadataFile(
  folder: string,
  entry: StoredEntry,
  hasOwn: () => Promise<boolean>,
): Promise<void> {
  const { hub, digest } = entry;
  if (hub === undefined || digest === undefined) return;
  const [visible, hidden] = [join(folder, METADATA_FILE), join(folder, OWN_FOLDER, METADATA_FILE)];
  const isVisible = (await isMetadataOf(visible, digest)) || (!(await exists(visible)) && !(await hasOwn()));
  const path = isVisible ? visible : hidden;
  const text = metadataText(entry, hub);
  try {
    if ((await readFile(path, 'utf8').catch(() => '')) !== text) await writeFileAtomic(path, text);
  } catch (thrown) {
    if (!isMissing(thrown)) throw storageError(thrown, path, 'written');
  }
}

function metadataText(entry: StoredEntry, hub: NonNullable<StoredEntry['hub']>): string {
  const { repo, commit, endpoint = PUBLIC_HUB } = hub;
  const metadata: Record<keyof typeof ABOUT, unknown> = {
    model_name: entry.name ?? entry.alias ?? entry.id,
    model_id: repo,
    source: `${endpoint}/${repo}`,
    architecture_type: entry.modelType,
    created_at: entry.downloadedAt ?? entry.importedAt ?? entry.createdAt ?? null,
    license: entry.license ?? null,
    model_size: entry.parameters ?? null,
    file_size: entry.size,
    revision: commit,
    digest: entry.digest,
  };
  return `${JSON.stringify({ ...metadata, _about: ABOUT }, undefined, 2)}\n`;
}

/** Whether a file of the model has the name, on a file system that tells no case apart either. */
export function namesMetadataFile({ files }: Pick<Manifest, 'files'>): boolean {
  return files.some(({ path }) => path.toLowerCase().split('/', 1)[0] === METADATA_FILE);
}

/** Whether a file is what this registry wrote about a model. No file of a model can name the model's digest, which depends on it. */
export async function isMetadataOf(path: string, digest: Digest): Promise<boolean> {
  const digestThere = (await readMetadata(path))?.digest;
  return digestThere === digest;
}

/** Why a file found in a folder is no part of a model, when some registry wrote it about one: a person may copy a model's folder. */
export async function metadataReason(found: {
  readonly path: string;
  readonly absolutePath: string;
}): Promise<string | undefined> {
  if (found.path !== METADATA_FILE) return undefined;
  const about = (await readMetadata(found.absolutePath))?._about;
  const isOurs =
    typeof about === 'object' && about !== null && (about as Record<string, unknown>).digest === ABOUT.digest;
  return isOurs ? 'what model-rtc wrote about the model' : undefined;
}

async function readMetadata(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > MAX_METADATA_BYTES) return undefined;
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
