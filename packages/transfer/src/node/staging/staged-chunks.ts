import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '@model-rtc/protocol';
import { digestOf, type Extent, extentsAt, type Layout, type LayoutFile } from '../../core/layout/layout.ts';
import { MAX_STAGED_NEIGHBOURS } from '../../core/limits.ts';
import type { LocalChunks } from '../../core/sources/local-chunks.ts';
import { readJournal } from '../journal/journal.ts';
import { readStagedLayout } from './staged-layout.ts';
import { stagedModels, stagingPaths } from './staging.ts';

export interface StagedChunk {
  readonly filesFolder: string;
  readonly layout: Layout;
  readonly place: number;
}

/** Never follows a link in the place of a staged file, and never waits for a pipe. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Chunks that unfinished transfers of other models left in their staging folders. They are read without a lock, perhaps while
 * they are being written or removed, so the reader checks what it gets.
 */
export function stagedChunks(staging: string, except: Digest): LocalChunks<StagedChunk> {
  return {
    async locateChunks(digests) {
      const wanted = new Set(digests);
      const found = new Map<Digest, StagedChunk>();
      const others = (await stagedModels(staging)).filter((name) => name !== except);
      for (const model of others.slice(0, MAX_STAGED_NEIGHBOURS)) {
        if (isDigest(model)) await addFrom(staging, model, { wanted, found });
      }
      return found;
    },
    readLocatedChunk: (_digest, chunk, into) => readStagedChunk(chunk, into),
  };
}

/**
 * The bytes at a place of staged files, in `into` when they fit; undefined when the files are too short.
 * @throws the file system's error when a file is not there, or is a link
 */
export async function readStagedChunk(
  { filesFolder, layout, place }: StagedChunk,
  into?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const size = layout.sizes[layout.idAt[place] ?? 0] ?? 0;
  const bytes = into !== undefined && into.length >= size ? into.subarray(0, size) : new Uint8Array(size);
  for (const extent of extentsAt(layout, place)) {
    if (!(await readExtent(filesFolder, layout, { extent, bytes }))) return undefined;
  }
  return bytes;
}

async function addFrom(
  staging: string,
  model: Digest,
  { wanted, found }: { wanted: ReadonlySet<Digest>; found: Map<Digest, StagedChunk> },
): Promise<void> {
  const paths = stagingPaths(staging, model);
  const layout = await readStagedLayout(paths.manifest, model);
  const journalled = layout === undefined ? undefined : readJournal(paths.journal, layout);
  if (layout === undefined || journalled === undefined) return;
  for (const [id, there] of journalled.entries()) {
    const digest = there === 1 ? digestOf(layout, id) : undefined;
    if (digest === undefined || !wanted.has(digest) || found.has(digest)) continue;
    found.set(digest, { filesFolder: paths.files, layout, place: layout.places[layout.firstPlace[id] ?? 0] ?? 0 });
  }
}

async function readExtent(
  filesFolder: string,
  layout: Layout,
  { extent, bytes }: { extent: Extent; bytes: Uint8Array },
): Promise<boolean> {
  const { path } = layout.files[extent.file] as LayoutFile;
  await using handle = await open(join(filesFolder, ...path.split('/')), READ_FLAGS);
  for (let done = 0; done < extent.length; ) {
    const { bytesRead } = await handle.read(
      bytes,
      extent.chunkOffset + done,
      extent.length - done,
      extent.fileOffset + done,
    );
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}
