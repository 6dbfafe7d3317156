import type { Stats } from 'node:fs';
import { cp, lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  atStorage,
  errorCode,
  ignoreMissing,
  listTree,
  makeFolder,
  mapLimit,
  modelFileMode,
  requireNames,
  requireRoom,
  storageError,
  syncFolder,
} from '@model-rtc/files';
import { ModelRtcError, modelSize } from '@model-rtc/protocol';
import { publishNew } from '../archive/output-file.ts';
import type { RegistryContext } from '../context.ts';
import { requireStaged, settleFiles } from '../import/settle-files.ts';
import type { DataPaths } from '../store/data-folder.ts';
import { refuseOwnFolders } from '../store/own-folders.ts';
import { type HashParts, hashFileSet } from './hash-file-set.ts';
import type { FileSet, PlaceOptions, TargetOptions } from './types.ts';

const FILES_AT_ONCE = 16;
/** What rename() of a folder fails with when something is at its new name. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR']);

/** @throws ModelRtcError see `FileSets.checkTarget` */
export async function checkTarget(
  context: HashParts & Pick<RegistryContext, 'paths'>,
  target: string,
  wanted: TargetOptions,
): Promise<'free' | 'same'> {
  const path = await realTarget(context.paths, target);
  const found = await atStorage(path, 'read', () => ignoreMissing(lstat(path)));
  if (found === undefined) return 'free';
  if (await isSame(context, path, found, wanted)) return 'same';
  if (wanted.overwrite !== true) throw takenError(path);
  return 'free';
}

/** Whether the very results are there, as after a command whose last step was killed. A link counts as something else. */
async function isSame(parts: HashParts, path: string, found: Stats, wanted: TargetOptions): Promise<boolean> {
  const [file] = wanted.manifest?.files ?? [];
  if (wanted.form === 'file') {
    if (!found.isFile() || file === undefined || found.size !== file.size) return false;
    const here = await hashFileSet(parts, path).catch(() => undefined);
    return here?.manifest?.files[0]?.sha256 === file.sha256;
  }
  if (!found.isDirectory() || wanted.manifest === undefined) return false;
  const here = await hashFileSet(parts, path).catch(() => undefined);
  return here?.digest === wanted.digest && here.emptyFolders.join('\n') === [...wanted.emptyFolders].sort().join('\n');
}

/** The place with its folder resolved, which is made when it is missing. @throws ModelRtcError `bad_argument`, `storage` */
async function realTarget(paths: DataPaths, target: string): Promise<string> {
  const given = resolve(target);
  const folder = await atStorage(dirname(given), 'created', async () => {
    await makeFolder(dirname(given));
    return await realpath(dirname(given));
  });
  const path = join(folder, basename(given));
  await refuseOwnFolders(path, paths, 'the results');
  return path;
}

/** @throws ModelRtcError see `FileSets.placeFileSet` */
export async function placeFileSet({ paths }: Pick<RegistryContext, 'paths'>, options: PlaceOptions): Promise<void> {
  const { manifest, emptyFolders, digest, overwrite = false } = options;
  requireNames([...(manifest?.files ?? []), ...emptyFolders.map((path) => ({ path }))]);
  const target = await realTarget(paths, options.target);
  const place: Place = {
    target,
    overwrite,
    made: join(dirname(target), `.model-rtc-${digest.slice(0, 16)}`),
    aside: join(dirname(target), `.model-rtc-old-${digest.slice(0, 16)}`),
  };
  try {
    // What a killed process left.
    await rm(place.made, { recursive: true, force: true });
    await publishOrCopy(await wholeResult(paths, options, place), options, place);
    await syncFolder(dirname(target));
    // What was copied to another disk, or the folder of a single file: what stays would look like an unfinished transfer.
    if (options.filesFolder !== undefined) await rm(options.filesFolder, { recursive: true, force: true });
  } catch (thrown) {
    throw storageError(thrown, target, 'written');
  } finally {
    await rm(place.made, { recursive: true, force: true });
  }
}

/** Where something goes, and the names beside it that are used on the way. */
interface Place {
  readonly target: string;
  readonly overwrite: boolean;
  readonly made: string;
  readonly aside: string;
}

/** The path of the finished file or folder, which takes one rename to get its name. */
async function wholeResult(paths: DataPaths, options: PlaceOptions, { made }: Place): Promise<string> {
  const { filesFolder, manifest, form, emptyFolders } = options;
  const umask = process.umask();
  if (filesFolder === undefined || manifest === undefined) {
    await makeFolders(made, emptyFolders);
    return made;
  }
  requireStaged(paths.staging, filesFolder);
  await settleFiles(filesFolder, manifest, { file: modelFileMode(umask), folder: 0o777 & ~umask });
  if (form === 'file') return join(filesFolder, manifest.files[0]?.path ?? '');
  await makeFolders(filesFolder, emptyFolders);
  return filesFolder;
}

/** Another disk shows only when something is renamed to there: two mounts of one look like one. */
async function publishOrCopy(whole: string, { form, manifest }: PlaceOptions, place: Place): Promise<void> {
  try {
    await publish(whole, form, place);
  } catch (thrown) {
    if (errorCode(thrown) !== 'EXDEV' || manifest === undefined) throw thrown;
    await requireRoom({
      ...{ folder: dirname(place.target), bytes: modelSize(manifest), what: 'The copy of the results' },
      otherwise: 'name another place',
    });
    await cp(whole, place.made, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    await syncCopied(place.made);
    await publish(place.made, form, place);
  }
}

async function makeFolders(root: string, folders: readonly string[]): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const path of folders) await mkdir(join(root, ...path.split('/')), { recursive: true });
}

async function syncCopied(path: string): Promise<void> {
  const files = (await lstat(path)).isFile()
    ? [path]
    : (await listTree(path)).filter(({ entry }) => entry.isFile()).map((item) => item.path);
  await mapLimit(files, FILES_AT_ONCE, async (file) => {
    await using handle = await open(file, 'r');
    await handle.sync();
  });
}

async function publish(whole: string, form: FileSet['form'], place: Place): Promise<void> {
  const { target, overwrite, aside } = place;
  const found = await ignoreMissing(lstat(target));
  if (found !== undefined && !overwrite) throw takenError(target);
  if (form === 'file') {
    if (found === undefined) return await publishNew(whole, target);
    if (!found.isDirectory()) return await rename(whole, target);
  }
  // A folder cannot replace anything in one step.
  await rm(aside, { recursive: true, force: true });
  if (found !== undefined) await rename(target, aside);
  try {
    await rename(whole, target);
  } catch (thrown) {
    if (found !== undefined) await rename(aside, target).catch(() => undefined);
    if (TAKEN.has(errorCode(thrown) ?? '')) throw takenError(target, thrown);
    throw thrown;
  }
  await rm(aside, { recursive: true, force: true });
}

function takenError(target: string, cause?: unknown): ModelRtcError {
  const sentence = `${target} exists already. Choose another name with --output, or replace it with --force.`;
  return new ModelRtcError('refused', sentence, { cause, details: { path: target } });
}
