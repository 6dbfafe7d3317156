import type { Digest, IncompleteFile, Manifest } from '@model-rtc/protocol';
import type { ChunkLocation } from '../chunks/types.ts';
import type { RegistryEntry } from '../entry/types.ts';
import type { FileProblem } from '../files/types.ts';
import type { ImportResult, WorkOptions } from '../import/types.ts';
import type { ProgressOptions } from '../progress.ts';

export interface VerifyOptions extends ProgressOptions {
  /** Check only sizes and times; read no bytes. */
  readonly quick?: boolean | undefined;
}

export interface VerifiedModel {
  readonly entry: RegistryEntry;
  /**
   * `incomplete`: the bytes are those that were registered, but by what the files say of themselves, not all was there.
   * `unsettled` while it is training: there is no digest yet to compare its files with.
   */
  readonly state: 'sound' | 'damaged' | 'incomplete' | 'unsettled';
  /** The first 100. */
  readonly problems: readonly FileProblem[];
  /** All files with a problem, listed or not. */
  readonly damagedFiles: number;
  /** Indices into the manifest's chunk list of chunks with wrong bytes. Empty with `quick`. */
  readonly damagedChunks: readonly number[];
  readonly damagedBytes: number;
  /** What the model lacks by what its own files say; empty for a damaged one, whose files say nothing reliable. */
  readonly incomplete: readonly IncompleteFile[];
  /** What was wrong only in the notes about intact files and has been corrected. As sentences. */
  readonly settled: readonly string[];
}

/** A file or folder of the registry that belongs to no registered model. */
export interface Orphan {
  /** Absolute. */
  readonly path: string;
  /** `file`: in a model's folder or beside the folders, but not part of any model. */
  readonly kind: 'model-folder' | 'staging' | 'temporary' | 'file';
  /** As the end of a sentence. */
  readonly reason: string;
  readonly bytes: number;
}

/** Where a repair finds a chunk: in an intact part of the damaged files, or in another model. */
export type RepairLocation =
  | { readonly from: 'own'; readonly offset: number; readonly size: number }
  | { readonly from: 'other'; readonly location: ChunkLocation };

/** The chunks of a damaged model on this disk. Whoever reads a chunk verifies it. */
export interface RepairChunks extends AsyncDisposable {
  locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, RepairLocation>>;
  readLocatedChunk(digest: Digest, location: RepairLocation, into?: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface ReplaceFilesOptions {
  /** A folder inside `paths.staging` that holds exactly the model's files, verified. It is moved, not copied. */
  readonly filesFolder: string;
  /** Has the same digest. It replaces the stored one. */
  readonly manifest: Manifest;
}

/** Checks the registry against the disk, and repairs it. */
export interface Verification {
  /**
   * Reads every byte and checks the SHA-256 of each chunk and file. It never writes a model's files; when they are intact,
   * it corrects the registry's own notes about them.
   * @throws ModelRtcError `not_found_locally`, `ambiguous`, `cancelled`
   */
  verify(ref: string, options?: VerifyOptions): Promise<VerifiedModel>;
  findOrphans(): Promise<readonly Orphan[]>;
  /**
   * Points a linked model at another place of the same files. For a model that is not linked, it copies them into the
   * registry.
   * @throws ModelRtcError `verification_failed` when the files there are not the model
   */
  relink(ref: string, path: string, options?: WorkOptions): Promise<ImportResult>;
  /**
   * The chunks of a damaged model that are on this disk.
   * @param damagedChunks as `verify` returned them: all others are read from the model's own files
   */
  openRepairChunks(digest: Digest, manifest: Manifest, damagedChunks: readonly number[]): Promise<RepairChunks>;
  /**
   * Replaces a registered model's files with verified ones, in one step. Everything else about the model stays. From then on
   * the registry owns the files; originals that the model was linked to stay as they are.
   * @throws ModelRtcError `verification_failed` when they are not the model's files
   */
  replaceFiles(digest: Digest, options: ReplaceFilesOptions): Promise<RegistryEntry>;
}
