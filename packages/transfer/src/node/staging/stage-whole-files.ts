import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { modelFileMode } from '@model-rtc/files';
import { chunkCount, extentsAt, type LayoutFile, placesOf } from '../../core/layout/layout.ts';
import { JournalWriter } from '../journal/journal.ts';
import type { OwnFile } from './own-files.ts';
import type { OpenStagingOptions, StagingPaths } from './types.ts';

/**
 * Begins a transfer with the files that the registry has whole in other models: as clones that share the disk's blocks,
 * else as further names of the same file. They count as staged and not as right: each chunk and each file is hashed like
 * what an earlier attempt left, before anything becomes visible. A file that turns out wrong is parted from the other
 * model's before it is written to.
 *
 * @returns the ids of the chunks that are in such files in all their places; they are in the journal.
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
  const journal = new JournalWriter(paths.journal, layout);
  try {
    for (const id of ids) journal.add(id);
    journal.flush();
  } finally {
    journal.close();
  }
  return ids;
}

/** Whatever is in the way, the file's chunks can still be copied or fetched. */
async function stageFile(own: OwnFile, file: LayoutFile, target: string): Promise<boolean> {
  try {
    const mode = await modeOfOwn(own, file);
    if (mode === undefined) return false;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if (await clone(own.path, target)) return true;
    // One file has one mode under all its names.
    if (mode !== modelFileMode(process.umask())) return false;
    await link(own.path, target);
    return true;
  } catch {
    return false;
  }
}

/** The permission bits of a plain file of the right size, behind no link at all; undefined of anything else. */
async function modeOfOwn({ path, modelsFolder }: OwnFile, { size }: LayoutFile): Promise<number | undefined> {
  const [found, real, models] = await Promise.all([lstat(path), realpath(path), realpath(modelsFolder)]);
  const isOwn = found.isFile() && found.size === size && real === join(models, relative(modelsFolder, path));
  return isOwn ? found.mode & 0o777 : undefined;
}

async function clone(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch {
    // Some file systems leave an empty file when they find that they cannot.
    await rm(to, { force: true });
    return false;
  }
}
