import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { atStorage, isMissing, storageError } from '@model-rtc/files';
import {
  MAX_FILES,
  type ModelPath,
  ModelRtcError,
  manifestDigest,
  modelPathProblem,
  modelSize,
} from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { createModelReader } from '../files/model-reader.ts';
import type { ModelReader } from '../files/types.ts';
import { linksOutError } from '../import/link-rules.ts';
import { toFile } from '../import/scanned-file.ts';
import type { ProgressOptions } from '../progress.ts';
import type { FileSet, FileSetForm } from './types.ts';
import { tooManyFiles, type WalkedFiles, walkFiles } from './walk-files.ts';

export type HashParts = Pick<RegistryContext, 'loadImportSteps' | 'loadHashCache'>;

/** Names that a message lists. */
const MAX_LISTED = 4;
const LINK_ADVICE = 'Replace such links by what they lead to, or remove them.';

/** Hashes the data that a person names. @throws ModelRtcError see `FileSets.hashFileSet` */
export async function hashFileSet(parts: HashParts, path: string, options: ProgressOptions = {}): Promise<FileSet> {
  const given = resolve(path);
  const stats = await statData(given);
  const name = basename(given).normalize('NFC');
  const problem = name === '' ? 'it has no name' : modelPathProblem(name);
  if (problem !== undefined) throw badNames(given, [{ path: name, reason: problem }]);
  if (stats.isDirectory()) {
    const walked = await walkFiles(given);
    requireAll(given, walked);
    return await hashWalked(parts, { ...walked, form: 'folder', name }, options);
  }
  if (!stats.isFile()) throw badArgument(given, `${given} is neither a file nor a folder. Name the data itself.`);
  const absolutePath = await atStorage(given, 'read', () => realpath(given));
  const files = [toFile(name as ModelPath, absolutePath, stats)];
  const only = { root: dirname(absolutePath), files, emptyFolders: [], leftOut: [] };
  return await hashWalked(parts, { ...only, form: 'file', name }, options);
}

async function statData(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (thrown) {
    throw isMissing(thrown) ? nothingAt(path, thrown) : storageError(thrown, path, 'read');
  }
}

function nothingAt(path: string, cause: unknown): ModelRtcError {
  const sentence = `There is no file or folder ${path}. Check the name.`;
  return new ModelRtcError('not_found_locally', sentence, { cause, details: { path } });
}

/** A person who names a folder means all of it: what cannot travel is refused, but for what is no file at all. */
function requireAll(root: string, { files, leftOut }: WalkedFiles): void {
  const outside = leftOut.filter(({ kind }) => kind === 'outside');
  if (outside.length > 0) {
    const links = outside.map(({ path, target = '' }) => ({ path, target }));
    throw linksOutError(root, links, { advice: LINK_ADVICE });
  }
  const [broken] = leftOut.filter(({ kind }) => kind === 'broken');
  if (broken !== undefined) {
    throw badArgument(root, `${broken.path} in ${root} is ${broken.reason}. Restore what it leads to, or remove it.`);
  }
  const unnameable = leftOut.filter(({ kind }) => kind === 'name');
  if (unnameable.length > 0) throw badNames(root, unnameable);
  if (files.length === 0) throw badArgument(root, `${root} holds no files. Name a file, or a folder with files in it.`);
}

function badNames(root: string, names: readonly { readonly path: string; readonly reason: string }[]): ModelRtcError {
  const listed = names.slice(0, MAX_LISTED).map(({ path, reason }) => withReason(JSON.stringify(path), reason));
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return badArgument(
    root,
    `Not every machine can have a file of this name: ${listed.join(', ')}${more}, at ${root}. Rename it and run the command again.`,
  );
}

/** Most rules name the path that breaks them. */
function withReason(path: string, reason: string): string {
  return reason.startsWith(path) ? reason : `${path} (${reason})`;
}

function badArgument(path: string, sentence: string): ModelRtcError {
  return new ModelRtcError('bad_argument', sentence, { details: { path } });
}

/** Files that were found, and how they are to arrive. */
export interface Walked
  extends Pick<WalkedFiles, 'root' | 'files' | 'emptyFolders'>,
    Pick<FileSet, 'leftOut' | 'name'> {
  readonly form: FileSetForm;
}

export async function hashWalked(
  { loadImportSteps, loadHashCache }: HashParts,
  { root, files, emptyFolders, leftOut, form, name }: Walked,
  options: ProgressOptions,
): Promise<FileSet> {
  const plain = { form, name, emptyFolders, leftOut, folder: root };
  if (files.length === 0)
    return { ...plain, digest: manifestDigest({ files: [] }), manifest: undefined, bytes: 0, stats: [] };
  if (files.length > MAX_FILES) throw tooManyFiles(root);
  const [steps, cache] = [await loadImportSteps(), await loadHashCache()];
  const { manifest, stats } = await steps.hashFiles(files, { ...options, cache });
  return {
    ...plain,
    digest: manifestDigest(manifest),
    manifest,
    bytes: modelSize(manifest),
    stats: files.map(({ absolutePath, size, mtimeNs }, i) => ({
      path: relative(root, absolutePath),
      size,
      mtimeNs: stats[i]?.mtimeNs ?? mtimeNs,
    })),
  };
}

/** @throws ModelRtcError `not_found` for a set without files */
export function openFileSet({
  digest,
  manifest,
  folder,
  stats,
}: Pick<FileSet, 'digest' | 'manifest' | 'folder' | 'stats'>): ModelReader {
  if (manifest === undefined) throw new ModelRtcError('not_found', 'There are no files to read.');
  return createModelReader(digest, { place: { path: folder, linked: false }, manifest, stats });
}
