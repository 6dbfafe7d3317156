import type { Dirent } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeItem } from '@model-rtc/files';
import { isLocked, listFolder, listTree } from '@model-rtc/files';
import { OWN_FOLDER } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { isMetadataOf, METADATA_FILE } from '../store/metadata-file.ts';
import { readEntryNote, readManifestNote } from '../store/model-notes.ts';
import type { Orphan } from './types.ts';

/** The registry's own files beside the models' folders: the index, its lock, and older or damaged versions. */
const OWN_FILES = /^registry\.(json|lock(\..*)?|v\d+\.json|corrupted\..*\.json)$/;
const TEMPORARY = /\.tmp$/;
/** A living writer finishes its temporary file long before. */
const TEMPORARY_AGE_MS = 60 * 60 * 1000;

/** Finds files and folders of the registry that belong to no registered model. Changes nothing. */
export async function findOrphans(context: RegistryContext): Promise<Orphan[]> {
  const { index, paths } = context;
  const known = await index.read();
  const orphans: Orphan[] = [];
  const nowMs = context.now().getTime();
  for (const item of await listFolder(paths.models)) {
    const path = join(paths.models, item.name);
    const stored = known.byFolder.get(item.name);
    if (stored !== undefined) orphans.push(...(await strayFiles(context, path, stored, nowMs)));
    else orphans.push(...(await orphanInModels(path, item, known, nowMs)));
  }
  for (const item of await listFolder(paths.staging))
    orphans.push(...(await orphanInStaging(paths.staging, item, known)));
  return orphans.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function orphanInModels(path: string, item: Dirent, known: RegistryIndex, nowMs: number): Promise<Orphan[]> {
  if (item.isDirectory()) {
    const reason = await reasonOfFolder(path, item.name, known);
    return reason === undefined ? [] : [await describe(path, 'model-folder', reason)];
  }
  if (TEMPORARY.test(item.name)) return await orphanTemporary(path, nowMs);
  if (OWN_FILES.test(item.name)) return [];
  return [await describe(path, 'file', 'it does not belong to the registry')];
}

/** Undefined for a whole model: opening the registry registers it. */
async function reasonOfFolder(path: string, name: string, known: RegistryIndex): Promise<string | undefined> {
  try {
    const { digest, id } = await readEntryNote(path, name);
    const registered = digest === undefined ? known.byId.get(id) : known.byDigest.get(digest);
    if (registered !== undefined) return `it holds model ${registered.id}, which is registered in ${registered.folder}`;
    if (digest !== undefined) await readManifestNote(path, digest);
    return undefined;
  } catch {
    return 'it holds no readable model';
  }
}

async function orphanInStaging(staging: string, item: Dirent, known: RegistryIndex): Promise<Orphan[]> {
  const path = join(staging, item.name);
  const isTransfer = /^[0-9a-f]{64}$/.test(item.name) && item.isDirectory();
  const isImport = /^import-[0-9a-f]{16}$/.test(item.name);
  // A lock goes with its folder. The next change brings back or removes what is in the trash.
  if (/\.lock(\..*)?$/.test(item.name)) return [];
  if ((isTransfer && (await isLocked(join(path, 'lock')))) || (isImport && (await isLocked(`${path}.lock`)))) return [];
  if (!isTransfer) return [await describe(path, 'staging', 'a command ended before it was done with it')];
  const stored = [...known.byDigest].find(([digest]) => digest === item.name)?.[1];
  const reason =
    stored === undefined
      ? 'a transfer ended early; the same pull or push goes on with it'
      : `a transfer or repair of ${stored.alias ?? stored.id} ended early; repair-model or a pull goes on with it`;
  return [await describe(path, 'staging', reason)];
}

/** Files in a model's folder that do not belong to it: a tool that loads a model may write beside it. */
export async function strayFiles(
  { readManifest }: RegistryContext,
  path: string,
  stored: StoredEntry,
  nowMs: number,
): Promise<Orphan[]> {
  if (stored.digest === undefined) return [];
  const manifest = await readManifest(stored).catch(() => undefined);
  if (manifest === undefined) return [];
  const expected = new Set<string>(manifest.files.map((file) => file.path));
  const orphans: Orphan[] = [];
  for (const { path: file, inside } of await filesBelow(path)) {
    if (inside.startsWith(`${OWN_FOLDER}/`)) {
      if (TEMPORARY.test(inside)) orphans.push(...(await orphanTemporary(file, nowMs)));
    } else if (!expected.has(inside) && !(inside === METADATA_FILE && (await isMetadataOf(file, stored.digest)))) {
      orphans.push(
        await describe(file, 'file', `it is in the folder of ${stored.alias ?? stored.id} but not part of it`),
      );
    }
  }
  return orphans;
}

async function orphanTemporary(path: string, nowMs: number): Promise<Orphan[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || nowMs - found.mtimeMs < TEMPORARY_AGE_MS) return [];
  return [{ path, kind: 'temporary', reason: 'writing it was cut off', bytes: found.size }];
}

async function describe(path: string, kind: Orphan['kind'], reason: string): Promise<Orphan> {
  return { path, kind, reason, bytes: await bytesBelow(path) };
}

/** Everything except folders, at any depth. */
async function filesBelow(root: string): Promise<TreeItem[]> {
  return (await listTree(root)).filter(({ entry }) => !entry.isDirectory());
}

async function bytesBelow(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const file of await filesBelow(path)) bytes += (await lstat(file.path).catch(() => undefined))?.size ?? 0;
  return bytes;
}
