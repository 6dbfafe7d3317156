import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, exists, makeFolder, syncFolder } from '@model-rtc/files';
import {
  type Digest,
  formatBytes,
  type JobData,
  type Manifest,
  ModelRtcError,
  manifestDigest,
  modelSize,
  silentLog,
} from '@model-rtc/protocol';
import { createChunkIndex } from '../chunks/chunk-index.ts';
import { createLocatedChunks } from '../chunks/located-chunks.ts';
import type { ChunkIndex, LocatedChunks } from '../chunks/types.ts';
import { checkFiles } from '../files/check-files.ts';
import { openModelFiles } from '../files/model-files.ts';
import { requireStaged, settleFiles } from '../import/settle-files.ts';
import { readManifestNote, readStatsNote, writeNotes } from '../store/model-notes.ts';
import { deleteTrashed, purgeTrash } from '../store/trash.ts';
import { DATA_FILE_MODE, placeData } from './place-data.ts';
import { type Incoming, planEviction, planTidying } from './plan-eviction.ts';
import type { DataSet, DataSets, DataUsage, OpenDataSetsOptions, Owner, StoredSet } from './types.ts';
import { readStoredSets, writeUses } from './uses-file.ts';

/** Manifests that are kept in memory: a job's data is looked up several times in a row. */
const KEPT_MANIFESTS = 4;

/**
 * Opens the cache of the data that jobs read, and clears away what a killed process left half-removed.
 * @throws ModelRtcError `storage`
 */
export async function openDataSets(options: OpenDataSetsOptions): Promise<DataSets> {
  const { dataSets: folder } = options.paths;
  const log = options.log ?? silentLog;
  const staging = join(folder, 'staging');
  await atStorage(folder, 'created', async () => {
    // Data belongs to those who sent it, not to a group that shares the models.
    await makeFolder(folder, 0o700);
    await makeFolder(staging, 0o700);
  });
  await purgeTrash({ staging }, log);
  return new StoredDataSets({ ...options, log, folder, staging }, await readStoredSets(folder, log));
}

interface Parts extends OpenDataSetsOptions {
  readonly folder: string;
  readonly staging: string;
  readonly log: NonNullable<OpenDataSetsOptions['log']>;
}

class StoredDataSets implements DataSets {
  readonly folder: string;
  readonly staging: string;
  readonly #parts: Parts;
  readonly #sets: Map<Digest, StoredSet>;
  readonly #chunks: ChunkIndex;
  readonly #located: LocatedChunks;
  readonly #manifests = new Map<Digest, Manifest>();
  readonly #coming = new Set<Incoming>();
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, sets: Map<Digest, StoredSet>) {
    this.#parts = parts;
    this.folder = parts.folder;
    this.staging = parts.staging;
    this.#sets = sets;
    this.#chunks = createChunkIndex(join(parts.folder, 'chunks'), parts.log);
    this.#located = createLocatedChunks<Digest>({
      chunks: this.#chunks,
      log: parts.log,
      known: async () => new Map([...sets.keys()].map((digest) => [digest, digest])),
      manifest: (digest) => this.#manifest(digest),
      open: async (digest) => openModelFiles(this.#place(digest), await readStatsNote(this.#place(digest).path)),
    });
  }

  async find(digest: Digest, owner: Owner): Promise<DataSet | undefined> {
    const set = this.#sets.get(digest);
    if (set === undefined || !set.owners.includes(owner)) return undefined;
    await this.#inTurn(() => this.#use(set));
    return { digest, bytes: set.bytes, manifest: await this.#manifest(digest) };
  }

  async check(digest: Digest, owner: Owner): Promise<boolean> {
    return this.#sets.get(digest)?.owners.includes(owner) === true && (await this.claim(digest, owner));
  }

  async claim(digest: Digest, owner: Owner): Promise<boolean> {
    return await this.#inTurn(async () => {
      const set = this.#sets.get(digest);
      if (set === undefined) return false;
      if (!(await this.#isIntact(digest))) {
        this.#parts.log.warn({ digest }, 'data that is kept for jobs was changed by somebody, and is sent again');
        await this.#remove([digest]);
        return false;
      }
      await this.#use({ ...set, owners: [...new Set([...set.owners, owner])] });
      return true;
    });
  }

  async reserve(bytes: number, owner: Owner): Promise<() => void> {
    return await this.#inTurn(async () => {
      const { limits, needed, log } = this.#parts;
      const incoming: Incoming = { owner, bytes };
      if (bytes > limits.maxBytes) throw tooLarge(bytes, limits.maxBytes, 'data-cache.size');
      if (bytes > limits.maxBytesPerOwner) throw tooLarge(bytes, limits.maxBytesPerOwner, 'data-cache.session-size');
      const options = { sets: [...this.#sets.values()], limits, needed: needed(), coming: [...this.#coming] };
      const { gone, disowned, refusedBy } = planEviction(incoming, options);
      if (refusedBy !== undefined) throw cacheBusy(bytes);
      for (const digest of disowned) this.#disown(digest, owner);
      if (gone.size > 0) log.info({ sets: gone.size, bytes }, 'data that no job needs made room for other data');
      await this.#remove([...gone]);
      this.#coming.add(incoming);
      return () => void this.#coming.delete(incoming);
    });
  }

  async install(filesFolder: string, manifest: Manifest, owner: Owner): Promise<void> {
    requireStaged(this.staging, filesFolder);
    const digest = manifestDigest(manifest);
    const stats = await settleFiles(filesFolder, manifest, { file: DATA_FILE_MODE, folder: undefined });
    await writeNotes(filesFolder, { manifest, stats });
    await this.#inTurn(async () => {
      const { path } = this.#place(digest);
      if (await exists(path)) await this.#remove([digest]);
      await atStorage(path, 'written', async () => {
        await rename(filesFolder, path);
        await syncFolder(this.folder);
      });
      await this.#use({ digest, bytes: modelSize(manifest), lastUsedMs: 0, owners: [owner] });
    });
    await this.#chunks.add(digest, manifest).catch((error: unknown) => {
      this.#parts.log.warn({ digest, error }, 'the chunks of data could not be noted');
    });
  }

  async place(
    { digest, form }: JobData,
    path: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const set = this.#sets.get(digest);
    if (set === undefined) throw gone();
    await this.#inTurn(() => this.#use(set));
    const { path: from } = this.#place(digest);
    const stats = await readStatsNote(from);
    if (form === 'file' && stats.length !== 1) throw notAFile();
    try {
      await placeData({ from, stats, to: path, form, signal });
    } catch (error) {
      if (ModelRtcError.from(error).code === 'source_changed') await this.#inTurn(() => this.#remove([digest]));
      throw error;
    }
  }

  async tidy(): Promise<void> {
    const { limits, needed, now = () => new Date() } = this.#parts;
    await this.#inTurn(async () => {
      const options = { sets: [...this.#sets.values()], limits, needed: needed() };
      await this.#remove(planTidying(options, now().getTime()));
    });
  }

  usage(): DataUsage {
    const bytes = [...this.#sets.values()].reduce((sum, set) => sum + set.bytes, 0);
    return { sets: this.#sets.size, bytes, maxBytes: this.#parts.limits.maxBytes };
  }

  locateChunks(digests: Iterable<Digest>): ReturnType<DataSets['locateChunks']> {
    return this.#located.locate(digests);
  }

  readLocatedChunk: DataSets['readLocatedChunk'] = (_digest, location, into) => this.#located.read(location, into);

  async filesOf(digest: Digest): ReturnType<DataSets['filesOf']> {
    if (!this.#sets.has(digest)) return undefined;
    return { folder: this.#place(digest).path, files: (await this.#manifest(digest)).files };
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#located.close();
    await this.#chunks.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #place(digest: Digest) {
    return { path: join(this.folder, digest), linked: false };
  }

  async #manifest(digest: Digest): Promise<Manifest> {
    const manifest = this.#manifests.get(digest) ?? (await readManifestNote(this.#place(digest).path, digest));
    this.#manifests.delete(digest);
    this.#manifests.set(digest, manifest);
    for (const oldest of [...this.#manifests.keys()].slice(0, -KEPT_MANIFESTS)) this.#manifests.delete(oldest);
    return manifest;
  }

  async #isIntact(digest: Digest): Promise<boolean> {
    const place = this.#place(digest);
    const stats = await readStatsNote(place.path).catch(() => undefined);
    return stats !== undefined && (await checkFiles(place, stats)).valid;
  }

  async #use(set: StoredSet): Promise<void> {
    const { now = () => new Date(), log } = this.#parts;
    this.#sets.set(set.digest, { ...set, lastUsedMs: now().getTime() });
    await writeUses(this.folder, this.#sets.values(), log);
  }

  #disown(digest: Digest, owner: Owner): void {
    const set = this.#sets.get(digest);
    if (set !== undefined) this.#sets.set(digest, { ...set, owners: set.owners.filter((other) => other !== owner) });
  }

  async #remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      const manifest = await this.#manifest(digest).catch(() => undefined);
      this.#sets.delete(digest);
      this.#manifests.delete(digest);
      await this.#chunks.remove(digest, manifest).catch(() => undefined);
      await deleteTrashed({ staging: this.staging }, this.#place(digest).path);
    }
    if (digests.length > 0) await writeUses(this.folder, this.#sets.values(), this.#parts.log);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return await done;
  }
}

function tooLarge(bytes: number, most: number, setting: string): ModelRtcError {
  const what = setting === 'data-cache.size' ? 'of data' : 'for one session';
  return new ModelRtcError(
    'refused',
    `This data has ${formatBytes(bytes)}, and the worker keeps ${formatBytes(most)} ${what} at most. Its owner can allow more there: model-rtc settings set ${setting} SIZE.`,
    { details: { neededBytes: bytes, setting } },
  );
}

function cacheBusy(bytes: number): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The worker has no room for ${formatBytes(bytes)} of data now: jobs that wait or run need what it keeps. Try again when some have ended.`,
    { details: { neededBytes: bytes } },
  );
}

function gone(): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    'The data of this job is no longer here. Run the command again to send it again.',
  );
}

function notAFile(): ModelRtcError {
  return new ModelRtcError('bad_argument', 'The data of this job is a folder, and was named as a file.');
}
