import { readFile, stat } from 'node:fs/promises';
import { type Digest, isDigest, type Manifest, type ModelEntry, readManifest } from '@model-rtc/protocol';
import { bytesInModel, type Layout } from '../../core/layout/layout.ts';
import { MAX_STAGED_NEIGHBOURS } from '../../core/limits.ts';
import { readJournal } from '../journal/journal.ts';
import { isRunning } from './is-running.ts';
import { openPartialReader, type PartialReader } from './partial-reader.ts';
import { readStagedEntry } from './staged-entry.ts';
import { readStagedLayout } from './staged-layout.ts';
import { stagedModels, stagingPaths } from './staging.ts';
import type { StagingPaths } from './types.ts';

/** The models that some process on this machine is fetching now. */
export interface PartialModels {
  /** Each model with the number of its bytes that are here and right. */
  list(): Promise<PartialModel[]>;
  find(digest: Digest): Promise<PartialModel | undefined>;
  manifest(digest: Digest): Promise<Manifest | undefined>;
  /** Reads the chunks of it that are here already. */
  open(digest: Digest): Promise<PartialReader | undefined>;
}

export interface PartialModel {
  readonly digest: Digest;
  /** The sender's entry, with `partialBytes`. */
  readonly entry: ModelEntry;
}

interface KnownLayout {
  readonly layout: Layout;
  /** Identifies the manifest file that this was read from. */
  readonly version: string;
  /** One for all who ask for its chunks or follow them, so that its journal is read once. */
  reader?: PartialReader;
}

/** @param now - the time of day in milliseconds, to compare with the lock's last write */
export function createPartialModels(staging: string, now: () => number = Date.now): PartialModels {
  // A manifest of hundreds of thousands of chunks takes a while to read, and lists are requested often.
  const layouts = new Map<Digest, KnownLayout>();

  async function layoutOf(digest: Digest, paths: StagingPaths): Promise<Layout | undefined> {
    const version = await versionOf(paths.manifest);
    if (version === undefined) return undefined;
    const known = layouts.get(digest);
    if (known?.version === version) return known.layout;
    const layout = await readStagedLayout(paths.manifest, digest);
    if (layout !== undefined) layouts.set(digest, { layout, version });
    return layout;
  }

  async function find(digest: Digest): Promise<PartialModel | undefined> {
    const paths = stagingPaths(staging, digest);
    if (!(await isRunning(paths.lock, now))) return undefined;
    const entry = await readStagedEntry(paths.entry, digest);
    const layout = entry === undefined ? undefined : await layoutOf(digest, paths);
    if (entry === undefined || layout === undefined) return undefined;
    return { digest, entry: { ...entry, partialBytes: bytesHere(paths.journal, layout) } };
  }

  async function list(): Promise<PartialModel[]> {
    const staged = (await stagedModels(staging)).filter(isDigest).slice(0, MAX_STAGED_NEIGHBOURS);
    for (const digest of layouts.keys()) if (!staged.includes(digest)) layouts.delete(digest);
    const found = await Promise.all(staged.map(find));
    return found.filter((model) => model !== undefined);
  }

  return {
    list,
    find,
    async manifest(digest) {
      const { manifest, lock } = stagingPaths(staging, digest);
      if (!(await isRunning(lock, now))) return undefined;
      // Whoever asks for it checks all of it: its name is the digest.
      return await readFile(manifest, 'utf8').then(
        (text) => readManifest(JSON.parse(text)),
        () => undefined,
      );
    },
    async open(digest) {
      const paths = stagingPaths(staging, digest);
      const layout = (await isRunning(paths.lock, now)) ? await layoutOf(digest, paths) : undefined;
      const known = layouts.get(digest);
      if (layout === undefined || known?.layout !== layout) return undefined;
      known.reader ??= openPartialReader(paths, { digest, layout, now });
      return known.reader;
    },
  };
}

function bytesHere(journal: string, layout: Layout): number {
  let bytes = 0;
  for (const [id, there] of (readJournal(journal, layout) ?? []).entries()) {
    if (there === 1) bytes += bytesInModel(layout, id);
  }
  return bytes;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return undefined;
  }
}
