import { link, lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, storageError, writeFileAtomic } from '@model-rtc/files';
import type { Digest, Manifest } from '@model-rtc/protocol';
import { withImportFolder } from '@model-rtc/registry';
import {
  bytesInModel,
  chunkCount,
  extentsAt,
  type Layout,
  type LayoutFile,
  placesOf,
  planLayoutInSlices,
} from '../../core/layout/layout.ts';
import { journalTitle, noteChunks } from '../journal/journal.ts';
import { stagingPaths, stagingPathsIn } from './staging.ts';

export interface StageIntactOptions {
  /** The registry's staging folder, on the same file system as the model's. */
  readonly staging: string;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Where the model's own files are; a file behind a symbolic link is not staged. */
  readonly modelFolder: string;
  /** Indexes of the wrong chunks, as a verification just found them. */
  readonly damagedChunks: readonly number[];
}

/** What link() fails with when there are no hard links, or no more of them, or the file is gone. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EACCES', 'ENOENT'];
/** What rename() fails with when someone else has begun the transfer meanwhile. */
const TAKEN = ['ENOTEMPTY', 'EEXIST'];
const HARMLESS = new Set([...NO_LINKS, ...TAKEN]);

/**
 * Begins a transfer with the whole files of a damaged model, as hard links: so a repair needs room and time for the damaged
 * files only. Leaves out a file that shares a chunk with a damaged one, since that chunk would be written to both. Leaves
 * what an earlier attempt staged as it is.
 * @returns the bytes that need not be fetched or copied; 0 where the file system has no hard links
 */
export async function stageIntactFiles(options: StageIntactOptions): Promise<number> {
  const { staging, digest, manifest, modelFolder } = options;
  const paths = stagingPaths(staging, digest);
  if ((await lstat(paths.folder).catch(() => undefined)) !== undefined) return 0;
  const layout = await planLayoutInSlices({ ...manifest, digest });
  const files = await intactFiles(layout, options);
  const chunks = chunksWithin(layout, files);
  if (chunks.length === 0) return 0;
  return await withImportFolder(staging, async (folder) => {
    const begun = stagingPathsIn(folder);
    try {
      await linkFiles(layout, files, { from: modelFolder, to: begun.files });
      await writeFileAtomic(begun.manifest, JSON.stringify(manifest), { mode: 0o600 });
      await writeJournal(begun.journal, layout, chunks);
      await rename(folder, paths.folder);
    } catch (thrown) {
      if (HARMLESS.has(errorCode(thrown) ?? '')) return 0;
      throw storageError(thrown, paths.folder, 'written');
    }
    return chunks.reduce((sum, id) => sum + bytesInModel(layout, id), 0);
  });
}

/** By number: plain files of the right size that have no other name yet, and share no chunk with any other file. */
async function intactFiles(
  layout: Layout,
  { modelFolder, damagedChunks }: StageIntactOptions,
): Promise<ReadonlySet<number>> {
  const files = new Set<number>();
  for (const [number, { path, size }] of layout.files.entries()) {
    const found = await lstat(join(modelFolder, ...path.split('/'))).catch(() => undefined);
    if (found?.isFile() === true && found.size === size && size > 0 && found.nlink === 1) files.add(number);
  }
  const wrong = new Set(damagedChunks.map((place) => layout.idAt[place]));
  for (let before = -1; before !== files.size; ) {
    before = files.size;
    for (let id = 0; id < chunkCount(layout); id++) {
      const holders = filesOf(layout, id);
      if (!wrong.has(id) && holders.every((file) => files.has(file))) continue;
      for (const file of holders) files.delete(file);
    }
  }
  return files;
}

function chunksWithin(layout: Layout, files: ReadonlySet<number>): number[] {
  const ids = Array.from({ length: chunkCount(layout) }, (_, id) => id);
  return ids.filter((id) => filesOf(layout, id).every((file) => files.has(file)));
}

/** The files that a chunk has bytes in, in all its places. */
function filesOf(layout: Layout, id: number): number[] {
  return [...placesOf(layout, id)].flatMap((place) => extentsAt(layout, place).map(({ file }) => file));
}

async function linkFiles(
  layout: Layout,
  files: ReadonlySet<number>,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const number of files) {
    const parts = (layout.files[number] as LayoutFile).path.split('/');
    await mkdir(dirname(join(to, ...parts)), { recursive: true, mode: 0o700 });
    await link(join(from, ...parts), join(to, ...parts));
  }
}

async function writeJournal(path: string, layout: Layout, chunks: readonly number[]): Promise<void> {
  await writeFileAtomic(path, journalTitle(layout), { mode: 0o600 });
  noteChunks(path, layout, chunks);
}
