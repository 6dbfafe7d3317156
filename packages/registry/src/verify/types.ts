import type { Digest, Manifest } from '@model-rtc/protocol';
import type { ChunkLocation } from '../chunks/types.ts';
import type { RegistryEntry } from '../entry/types.ts';
import type { FileProblem } from '../files/types.ts';
import type { ImportResult, WorkOptions } from '../import/types.ts';
import type { ProgressOptions } from '../progress.ts';

export interface VerifyOptions extends ProgressOptions {
  /** Sizes and times alone; no byte is read. */
  readonly quick?: boolean | undefined;
}

export interface VerifiedModel {
  readonly entry: RegistryEntry;
  /** `unsettled` while it is training: there is no digest yet that its files could be held against. */
  readonly state: 'sound' | 'damaged' | 'unsettled';
  /** The first 100. */
  readonly problems: readonly FileProblem[];
  /** All files with a problem, listed or not. */
  readonly damagedFiles: number;
  /** Of the manifest's chunk list: those whose bytes are not right. Empty with `quick`. */
  readonly damagedChunks: readonly number[];
  readonly damagedBytes: number;
  /** What was only a note about files whose bytes are right, and has been put right. As sentences. */
  readonly settled: readonly string[];
}

/** Something in the registry's folders that no model of the registry owns. */
export interface Orphan {
  /** Absolute. */
  readonly path: string;
  /** `file`: in a model's folder or beside the folders, and no part of any model. */
  readonly kind: 'model-folder' | 'staging' | 'temporary' | 'file';
  /** As the end of a sentence. */
  readonly reason: string;
  readonly bytes: number;
}

/** Where a repair finds a chunk: in the right part of the damaged files themselves, or in another model. */
export type RepairLocation =
  | { readonly from: 'own'; readonly offset: number; readonly size: number }
  | { readonly from: 'other'; readonly location: ChunkLocation };

/** What this disk has of a damaged model. Whoever reads a chunk verifies it. */
export interface RepairChunks extends AsyncDisposable {
  locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, RepairLocation>>;
  readLocatedChunk(digest: Digest, location: RepairLocation, into?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

export interface ReplaceFilesOptions {
  /** A folder inside `paths.staging` that holds exactly the model's files, verified. It is moved, not copied. */
  readonly filesFolder: string;
  /** Of the same digest. The stored one is replaced by it. */
  readonly manifest: Manifest;
}

/** Whether what the registry says is true of the disk, and putting it right. */
export interface Verification {
  /**
   * Reads every byte: each chunk's and each file's SHA-256. No file of a model is ever written; where its bytes are right,
   * the registry's own notes about them are put right.
   * @throws ModelRtcError `not_found_locally`, `ambiguous`, `cancelled`
   */
  verify(ref: string, options?: VerifyOptions): Promise<VerifiedModel>;
  findOrphans(): Promise<readonly Orphan[]>;
  /**
   * Points a linked model at another place of the same files; a model of the registry's own is replaced by a copy of them.
   * @throws ModelRtcError `verification_failed` when what lies there is not the model
   */
  relink(ref: string, path: string, options?: WorkOptions): Promise<ImportResult>;
  /**
   * The chunks of a damaged model that are on this disk.
   * @param damagedChunks as `verify` gave them: all others are read from the model's own files
   */
  openRepairChunks(digest: Digest, manifest: Manifest, damagedChunks: readonly number[]): Promise<RepairChunks>;
  /**
   * Puts verified files in the place of a registered model's, in one step. What is known of the model stays; its files are
   * the registry's own from then on, and originals that it was linked to stay as they are.
   * @throws ModelRtcError `verification_failed` when they are not the model's files
   */
  replaceFiles(digest: Digest, options: ReplaceFilesOptions): Promise<RegistryEntry>;
}
