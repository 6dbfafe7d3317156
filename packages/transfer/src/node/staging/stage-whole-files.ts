import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { chunkCount, extentsAt, type LayoutFile, placesOf } from '../../core/layout/layout.ts';
import { noteChunks } from '../journal/journal.ts';
import type { OwnFile } from './own-files.ts';
import type { OpenStagingOptions, StagingPaths } from './types.ts';

/**
 * Begins a transfer with the files that other models in the registry have whole: as clones that share the disk's blocks, else
 * as hard links. They are staged but not trusted: every chunk and file is hashed like what an earlier attempt left, before
 * anything becomes visible. A file that turns out wrong is copied before it is written to, so that the other model keeps its own.
 *
 * @returns the ids of the chunks whose places are all in such files; they are in the journal
 */
export async function stageWholeFiles(
  paths: StagingPaths,
  { layout, contents, ownFiles }: Pick<OpenStagingOptions, 'layout' | 'contents' | 'ownFiles'>,
): Promise<ReadonlySet<number>> {
  const known = await ownFiles?.find(contents);
  if (known === undefined || known.size === 0) return new Set();
  const staged = new Set<number>();
  for (const [number, file] of layout.files.entries()) {
    const own = file.sha256 === undefined ? undefined : known.get(file.sha256);
    if (own !== undefined && (await stageFile(own, file, join(paths.files, ...file.path.split('/')))))
      staged.add(number);
  }
  const ids = new Set<number>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const isStaged = placesOf(layout, id).every((place) =>
      extentsAt(layout, place).every(({ file }) => staged.has(file)),
    );
    if (isStaged) ids.add(id);
  }
  noteChunks(paths.journal, layout, ids);
  return ids;
}

/** Ignores failures: the file's chunks can still be copied or fetched. */
async function stageFile(own: OwnFile, file: LayoutFile, target: string): Promise<boolean> {
  try {
    const mode = await modeOfOwn(own, file);
    if (mode === undefined) return false;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if (await clone(own.path, target)) return true;
    if (mode !== own.linkMode) return false;
    await link(own.path, target);
    return true;
  } catch {
    return false;
  }
}

/** The permission bits of a plain file of the right size that is not behind any link; undefined for anything else. */
async function modeOfOwn({ path, within }: OwnFile, { size }: LayoutFile): Promise<number | undefined> {
  const [found, real, folder] = await Promise.all([lstat(path), realpath(path), realpath(within)]);
  const isOwn = found.isFile() && found.size === size && real === join(folder, relative(within, path));
  return isOwn ? found.mode & 0o777 : undefined;
}

async function clone(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    // A clone of data that jobs read is read-only as the original is, and a wrong chunk could not be written over.
    await chmod(to, 0o600);
    return true;
  } catch {
    // Some file systems leave an empty file when cloning fails.
    await rm(to, { force: true });
    return false;
  }
}
