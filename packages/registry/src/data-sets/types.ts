import type { Digest, JobData, Log, Manifest } from '@model-rtc/protocol';
import type { ChunkLocation } from '../chunks/types.ts';
import type { DataPaths } from '../store/data-folder.ts';

/** How much data is kept for jobs, and for how long. */
export interface DataLimits {
  readonly maxBytes: number;
  /** What one session may have of that. */
  readonly maxBytesPerOwner: number;
  /** How long data stays that nobody uses, in milliseconds. */
  readonly maxAgeMs: number;
}

export interface OpenDataSetsOptions {
  readonly paths: Pick<DataPaths, 'dataSets'>;
  readonly limits: DataLimits;
  /** The data that queued and running jobs need now: it is never removed. */
  readonly needed: () => ReadonlySet<Digest>;
  readonly log?: Log | undefined;
  readonly now?: (() => Date) | undefined;
}

/** A set of data that is here whole. */
export interface DataSet {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly bytes: number;
}

export interface DataUsage {
  readonly sets: number;
  readonly bytes: number;
  readonly maxBytes: number;
}

/** Whose data it is: the id of a token. */
export type Owner = string;

/**
 * The data that jobs read, each set in a folder of its own, by its digest. One process has it open at a time: the worker.
 *
 * A set belongs to everyone who pushed it, and nobody else can use it: a digest is no key to another's data.
 */
export interface DataSets extends AsyncDisposable {
  /** Where all of it lies. */
  readonly folder: string;
  /** For what is not whole yet; on the same file system. */
  readonly staging: string;
  /** A set that this owner may use. */
  find(digest: Digest, owner: Owner): Promise<DataSet | undefined>;
  /** Whether the owner has this set here, with all files as they were stored. A damaged one is removed. */
  check(digest: Digest, owner: Owner): Promise<boolean>;
  /** Makes this owner one of those of a set that is here whole. @returns false when it is not */
  claim(digest: Digest, owner: Owner): Promise<boolean>;
  /**
   * Makes room for a set before its first byte comes: what was used longest ago goes.
   * @returns how to give the room back, once the set is installed or given up
   * @throws ModelRtcError `refused` for a set that is too large for this worker or this owner; `busy` when jobs need what would have
   * to go
   */
  reserve(bytes: number, owner: Owner): Promise<() => void>;
  /**
   * Takes a set's verified files out of a folder in `staging`.
   * @throws ModelRtcError `verification_failed`, `storage`
   */
  install(filesFolder: string, manifest: Manifest, owner: Owner): Promise<void>;
  /**
   * Puts a set where a job reads it, so that the job cannot change what is here: a file or a folder at `path`, read-only.
   * @throws ModelRtcError `not_found` when it is not here (any more); `storage_full`, `storage`; `cancelled`
   */
  place(data: JobData, path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Removes what was not used for too long, and what is above the limit. */
  tidy(): Promise<void>;
  usage(): DataUsage;
  /** Where the sets hold these chunks; `model` is the set's digest. */
  locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, ChunkLocation>>;
  readLocatedChunk(digest: Digest, location: ChunkLocation, into?: Uint8Array): Promise<Uint8Array | undefined>;
  /** The folder of a set's files, and their manifest; undefined when it is not here. */
  filesOf(digest: Digest): Promise<{ readonly folder: string; readonly files: Manifest['files'] } | undefined>;
  close(): Promise<void>;
}

/** What is known of a set without reading its notes. */
export interface StoredSet {
  readonly digest: Digest;
  readonly bytes: number;
  readonly lastUsedMs: number;
  readonly owners: readonly Owner[];
}
