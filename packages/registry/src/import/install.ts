import { chmod, lstat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { atStorage, listTree, mapLimit, modelFileMode, syncFolder } from '@model-rtc/files';
import {
  type Manifest,
  ModelRtcError,
  type ModelSource,
  manifestDigest,
  OWN_FOLDER,
  parseManifest,
} from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import type { DataPaths } from '../store/data-folder.ts';
import { folderModeIn } from '../store/folder-modes.ts';
import type { FileStat } from '../store/types.ts';
import { type EntryDraft, placeModel } from './place-model.ts';
import { receivedDraft } from './received-entry.ts';
import type { InstallOptions } from './types.ts';

const FILES_AT_ONCE = 32;

/** Registers a model whose verified files lie in a staged folder. */
export async function installModel(context: RegistryContext, options: InstallOptions): Promise<StoredEntry> {
  const { filesFolder, alias, aliasConflict, source, ifExists, keepsEntry } = options;
  const manifest = parseManifest(options.manifest);
  requireStaged(context.paths.staging, filesFolder);
  const stats = await settleFiles(context.paths, filesFolder, manifest);
  const looked = await inspectStaged(context, options, manifest, stats);
  const { stored } = await placeModel(context, {
    staged: filesFolder,
    digest: manifestDigest(manifest),
    manifest,
    stats,
    draft: { ...receivedDraft(options.entry), source, ...looked, ...arrival(source, context.now()) },
    alias,
    aliasConflict,
    keepsEntry,
    // Whoever brings a whole model once more is told when it is here under another alias.
    ifExists: ifExists === 'skip' ? undefined : ifExists,
    linked: false,
    originalPath: undefined,
  });
  return stored;
}

/** Whoever sends a model is not believed when they say that it is safe, or whole. What is refused stays staged, and unseen. */
async function inspectStaged(
  { reading }: RegistryContext,
  { filesFolder, entry, safeOnly, signal }: InstallOptions,
  manifest: Manifest,
  stats: readonly FileStat[],
): Promise<Pick<EntryDraft, 'codeFiles' | 'incomplete'>> {
  const { AS_IS, inspectFiles } = await import('../inspect/code-files.ts');
  const files = manifest.files.map(({ path, size }, i) => {
    const { mtimeNs } = stats[i] as FileStat;
    return { path, size, mode: 0, mtimeNs, absolutePath: join(filesFolder, path) };
  });
  const { findIncomplete, toIncomplete } = await import('../inspect/find-incomplete.ts');
  const codeFiles = await inspectFiles(reading, files, { safeOnly, signal, isUnknown: entry.framework === AS_IS });
  return { codeFiles, incomplete: toIncomplete(await findIncomplete(reading, files, signal)) };
}

/** An archive is imported, all else comes over a network. */
function arrival(source: ModelSource, now: Date): Pick<EntryDraft, 'importedAt' | 'downloadedAt'> {
  const time = now.toISOString();
  return source === 'local-import' ? { importedAt: time } : { downloadedAt: time };
}

export function requireStaged(staging: string, folder: string): void {
  const inside = relative(staging, folder);
  if (inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return;
  throw new ModelRtcError('bad_argument', `${folder} is not in ${staging}; stage a model's files there.`);
}

/** Requires that the folder holds the manifest's files and nothing else, and gives both their modes. */
export async function settleFiles(
  paths: Pick<DataPaths, 'root'>,
  root: string,
  manifest: Manifest,
): Promise<FileStat[]> {
  const expected = new Set<string>(manifest.files.map((file) => file.path));
  const folders = [root];
  for (const { path, inside, entry } of await listTree(root, (item) => item === OWN_FOLDER)) {
    if (entry.isDirectory()) folders.push(path);
    else if (!entry.isFile()) throw notAsVerified(root, `${JSON.stringify(inside)} is not a plain file`);
    else if (!expected.has(inside)) throw notAsVerified(root, `${JSON.stringify(inside)} is not in the manifest`);
  }
  const mode = modelFileMode(process.umask());
  const stats = await mapLimit(manifest.files, FILES_AT_ONCE, async (file) => {
    const path = join(root, file.path);
    const found = await atStorage(path, 'read', async () => await lstat(path, { bigint: true }));
    if (!found.isFile() || found.size !== BigInt(file.size)) {
      throw notAsVerified(root, `${JSON.stringify(file.path)} is not a file of ${file.size} bytes`);
    }
    if ((Number(found.mode) & 0o777) !== mode) await atStorage(path, 'given its mode', () => chmod(path, mode));
    return { path: file.path, size: file.size, mtimeNs: found.mtimeNs };
  });
  const folderMode = await folderModeIn(paths.root);
  await mapLimit(folders, FILES_AT_ONCE, async (folder) => {
    // Staged folders are only for this user; those of a group's models are for the group.
    if ((folderMode & 0o077) !== 0) await atStorage(folder, 'given its mode', () => chmod(folder, folderMode));
    await atStorage(folder, 'written', () => syncFolder(folder));
  });
  return stats;
}

function notAsVerified(root: string, problem: string): ModelRtcError {
  const sentence = `The staged files in ${root} are not those of the manifest (${problem}). Start the transfer again.`;
  return new ModelRtcError('verification_failed', sentence, { details: { path: root } });
}
