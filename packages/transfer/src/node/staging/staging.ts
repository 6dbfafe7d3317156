import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acquireLock,
  exists,
  ignoreMissing,
  isMissing,
  type Lock,
  type LockOptions,
  makeFolder,
  removeTemporaries,
  requireNames,
  writeFileAtomic,
} from '@model-rtc/files';
import { contentsManifest, type Digest, ModelRtcError } from '@model-rtc/protocol';
import { chunkCount, type Layout } from '../../core/layout/layout.ts';
import { journalTitle, readJournalled } from '../journal/journal.ts';
import { stageWholeFiles } from './stage-whole-files.ts';
import { writeStagedEntry } from './staged-entry.ts';
import { writeStagedContents } from './staged-layout.ts';
import type { OpenStagingOptions, StagingPaths } from './types.ts';

/** One model's staging folder, locked for this process. */
export interface Staging {
  readonly paths: StagingPaths;
  /** By id: 1 for each chunk that is in the files: an earlier attempt wrote it, or it came with a whole file. */
  readonly journalled: Uint8Array;
  /** By id, for ranges among them: sums that tell whether the bytes are still those that were written. */
  readonly sums: Uint32Array | undefined;
  /** Those of them that just came with whole files of other models. */
  readonly reused: ReadonlySet<number>;
  /** Files are there, but which chunks they have is unknown: the journal is missing or belongs to another chunk list. */
  readonly unknownFiles: boolean;
  /**
   * Unlocks; the state stays for the next attempt. Where no chunk has come, nothing stays: a list of 200,000 files that somebody
   * pushed and never sent would lie there for a month.
   */
  keep(): Promise<void>;
  /** Unlocks, and removes the rest of the folder if the files were moved out of it. */
  end(): Promise<void>;
}

export interface LockStagingOptions extends LockOptions {
  readonly staging: string;
  /** The model's digest, or the key of its contents while that is not known. */
  readonly key: Digest;
}

/** How often to make the folder again when another process removes it just before it is locked. */
const LOCK_ATTEMPTS = 5;

export function stagingPaths(staging: string, key: Digest): StagingPaths {
  return stagingPathsIn(join(staging, key));
}

export function stagingPathsIn(folder: string): StagingPaths {
  return {
    folder,
    files: join(folder, 'files'),
    manifest: join(folder, 'manifest.json'),
    journal: join(folder, 'journal'),
    entry: join(folder, 'entry.json'),
    parted: join(folder, 'parted'),
    lock: join(folder, 'lock'),
  };
}

/** Locks a model's staging folder, and makes it first when there is none. */
export async function lockStaging({ staging, key, waitMs, signal, onWait }: LockStagingOptions): Promise<Lock> {
  const { folder, lock } = stagingPaths(staging, key);
  for (let attempt = 1; ; attempt++) {
    await makeFolder(folder, 0o700);
    try {
      const held = await acquireLock(lock, { waitMs, signal, onWait });
      // Whoever held the lock before may have removed the folder with it.
      await makeFolder(folder, 0o700);
      return held;
    } catch (error) {
      if (attempt === LOCK_ATTEMPTS || !isMissing(error)) throw ModelRtcError.from(error);
    }
  }
}

/** Unlocks and removes a folder that was made only for the lock; whoever waits for the lock makes it again. */
export async function leaveStaging(staging: string, key: Digest, held: Lock): Promise<void> {
  await held.release();
  await rmdir(stagingPaths(staging, key).folder).catch(() => {});
}

/** Prepares a model's locked staging folder, and reads what an earlier attempt left in it. Reads no model bytes. */
export async function openStaging(options: OpenStagingOptions): Promise<Staging> {
  const paths = stagingPaths(options.staging, options.key);
  const lock = options.held;
  try {
    requireNames(options.layout.files);
    const hasFiles = await exists(paths.files);
    // A process may have been killed after its files were moved out and installed: the journal means nothing then.
    const journalled = hasFiles ? readJournalled(paths.journal, options.layout) : undefined;
    if (journalled === undefined) await startOver(paths, options);
    const { key, contents, entry } = options;
    // Others may ask for a model that is being fetched once its manifest is known.
    const isKnown = contentsManifest(contents) !== undefined;
    if (entry !== undefined && isKnown) await writeStagedEntry(paths.entry, key, entry);
    const reused = hasFiles ? new Set<number>() : await stageWholeFiles(paths, options);
    return {
      paths,
      journalled: journalled?.present ?? flagsOf(options.layout, reused),
      sums: journalled?.sums,
      reused,
      unknownFiles: hasFiles && journalled === undefined,
      keep: async () => {
        const isEmpty =
          readJournalled(paths.journal, options.layout)?.present.includes(1) === false && reused.size === 0;
        await (isEmpty ? removeLocked(paths, lock) : lock.release());
      },
      end: async () => ((await exists(paths.files)) ? await lock.release() : await removeLocked(paths, lock)),
    };
  } catch (error) {
    await lock.release();
    throw ModelRtcError.from(error);
  }
}

function flagsOf(layout: Layout, ids: ReadonlySet<number>): Uint8Array {
  const flags = new Uint8Array(chunkCount(layout));
  for (const id of ids) flags[id] = 1;
  return flags;
}

export type DiscardStagingOptions = Omit<LockStagingOptions, 'onWait'>;

/**
 * Removes what attempts to fetch a model left behind. Waits while a process is fetching it.
 * @throws ModelRtcError `busy` when one still is after `waitMs`
 */
export async function discardStaging(options: DiscardStagingOptions): Promise<void> {
  const paths = stagingPaths(options.staging, options.key);
  if (!(await exists(paths.folder))) return;
  await removeLocked(paths, await lockStaging(options));
}

/** The journal names its chunk list by its hash, so a journal beside the manifest of another list is not trusted. */
async function startOver(paths: StagingPaths, { contents, layout }: OpenStagingOptions): Promise<void> {
  await rm(paths.journal, { force: true });
  for (const path of [paths.manifest, paths.entry, paths.journal]) await removeTemporaries(path);
  await writeStagedContents(paths.manifest, contents);
  await writeFileAtomic(paths.journal, journalTitle(layout), { mode: 0o600 });
}

/** Removes everything but the lock while holding it, then the folder, unless someone else uses it by then. */
async function removeLocked(paths: StagingPaths, lock: Lock): Promise<void> {
  try {
    // Renamed first: a process that is killed halfway must not leave a journal beside files that are partly gone.
    const removed = `${paths.journal}.removed`;
    await ignoreMissing(rename(paths.journal, removed));
    await rm(paths.files, { recursive: true, force: true });
    // What a killed process was writing is left over too. Names that begin like the lock belong to those who wait for it.
    const rest = ((await ignoreMissing(readdir(paths.folder))) ?? []).filter((name) => !name.startsWith('lock'));
    for (const name of rest) await rm(join(paths.folder, name), { recursive: true, force: true });
  } finally {
    await lock.release();
  }
  await rmdir(paths.folder).catch(() => {});
}

/** The keys of all models that have a staging folder. */
export async function stagedModels(staging: string): Promise<string[]> {
  const names = (await ignoreMissing(readdir(staging))) ?? [];
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
}
