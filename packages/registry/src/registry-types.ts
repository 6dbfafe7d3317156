import type {
  Alias,
  AliasConflict,
  Digest,
  DisplayStatus,
  IfExists,
  ListModelsParams,
  Manifest,
  ModelEntry,
  ModelSource,
} from '@model-rtc/protocol';
import type { Archives } from './archive/archives.ts';
import type { Catalogs } from './catalog/catalogs.ts';
import type { ResolveOptions } from './entry/resolve.ts';
import type { SkippedPath } from './import/scanned-model.ts';
import type { Inspection } from './inspect/inspection.ts';
import type { Management } from './manage/management.ts';
import type { Runs } from './runs/runs.ts';
import type { DataPaths } from './store/data-folder.ts';
import type { FormerAlias } from './store/index-schema.ts';
import type { Verification } from './verify/verification.ts';

/** A model of this machine: what agents tell each other, and what only this machine knows. */
export interface RegistryEntry extends ModelEntry {
  /** The model's folder, absolute. Its files lie in it under their own names. */
  readonly localPath: string;
  /** The folder or file that the model was imported from, absolute and without links. */
  readonly originalPath?: string | undefined;
  /** Whether the files in the folder are symbolic links to the originals. */
  readonly linked: boolean;
  readonly aliasSince?: string | undefined;
  /** What it was called before, oldest first. */
  readonly formerAliases: readonly FormerAlias[];
  /** The watched or read-only folder in which a worker found it, absolute. */
  readonly foundIn?: string | undefined;
  /** Of an interrupted run: what goes on with it, when it is run in its folder. */
  readonly resumeCommand?: string | undefined;
  readonly displayStatus: DisplayStatus;
}

export type ResolvedBy = 'id' | 'alias' | 'digest' | 'path';

export interface ResolvedModel {
  readonly entry: RegistryEntry;
  readonly resolvedBy: ResolvedBy;
}

export interface ModelPage {
  readonly models: RegistryEntry[];
  /** What the next call gives as `cursor`; not there on the last page. */
  readonly nextCursor?: string | undefined;
  /** All that match the filters, on every page. */
  readonly total: number;
}

export interface ImportProgress {
  /** `hash` reads the originals; with `copy`, `copy` and `verify` follow, each from 0 again. */
  readonly phase: 'hash' | 'copy' | 'verify';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/**
 * What becomes of a whole model that is here already, when it is imported once more: it stays as it is, alias and all; its
 * files and entry are replaced; its files stay and it gets the alias and whatever else is said of it.
 */
export type ImportIfExists = IfExists | 'rename';

export interface ImportOptions extends WorkOptions {
  readonly alias?: Alias | undefined;
  /** When left out, the model gets what is said of it, but one that has another alias is refused. */
  readonly ifExists?: ImportIfExists | undefined;
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Free text, where the alias is short. */
  readonly name?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notes?: string | undefined;
  /** The model that this one was made from, as a reference on this machine. */
  readonly parent?: string | undefined;
  /** Refuse a model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** In place of the type that the scan finds. */
  readonly modelType?: string | undefined;
  /** Copy the files into the registry. Otherwise each is a symbolic link to the original. */
  readonly copy?: boolean | undefined;
}

export interface ImportResult {
  readonly entry: RegistryEntry;
  readonly manifest: Manifest;
  readonly outcome: 'imported' | 'already_there';
  /** A name that fits what was found, free at the time; only when the model has no alias. */
  readonly suggestedAlias?: Alias | undefined;
  /** What is at the imported path but no part of the model. */
  readonly skipped: readonly SkippedPath[];
}

export interface InstallOptions {
  /** A folder inside `paths.staging` that holds exactly the manifest's files, verified. It is moved, not copied. */
  readonly filesFolder: string;
  readonly manifest: Manifest;
  /** What the other side says of the model. Its id, digest, sizes, alias and source are not taken from here. */
  readonly entry: ModelEntry;
  readonly alias?: Alias | undefined;
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Refuse a model with files that run code when they are loaded, whatever they are called. */
  readonly safeOnly?: boolean | undefined;
  readonly source: ModelSource;
  /** What to do when a whole model of this digest is here: `skip` keeps it, `overwrite` replaces its files and entry. */
  readonly ifExists: IfExists;
}

export interface TagOptions {
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Short for `aliasConflict: 'overwrite'`. */
  readonly overwrite?: boolean | undefined;
}

export interface FileProblem {
  /** The path inside the model; empty when it is the model's folder itself. */
  readonly path: string;
  readonly problem: string;
}

export interface CheckResult {
  readonly valid: boolean;
  /** The first 100. */
  readonly problems: FileProblem[];
}

/** Where a chunk's bytes were when its model was registered. Whoever reads them verifies them. */
export interface ChunkLocation {
  readonly model: Digest;
  /** Bytes from the start of the model's files laid end to end. */
  readonly offset: number;
  readonly size: number;
}

/** The chunks of one model, read from its files. Reads may run at once; `close` waits for those under way. */
export interface ModelReader extends AsyncDisposable {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /**
   * The bytes of a chunk, in `into` when it is large enough, otherwise in a buffer of their own.
   * @throws ModelRtcError `source_changed` naming the file when it is not as it was hashed, `not_found` when the chunk is
   *   not of this model.
   */
  readChunk(digest: Digest, into?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The models of this machine. Any number of processes may have it open at once. */
export interface Registry extends Management, Verification, Inspection, Archives, Catalogs, Runs, AsyncDisposable {
  readonly paths: DataPaths;
  /** One page of the models that match, sorted. */
  list(params: ListModelsParams): Promise<ModelPage>;
  /**
   * The model that a person's reference names: an id, an alias, the first 6 or more characters of a digest, or a path.
   * Where it could have meant a file or folder of the working directory as well, the log is warned.
   * @throws ModelRtcError `not_found_locally` (with the closest aliases), `ambiguous` (with the candidates).
   */
  resolve(ref: string, options?: ResolveOptions): Promise<ResolvedModel>;
  find(digest: Digest): Promise<RegistryEntry | undefined>;
  /** @throws ModelRtcError `not_found_locally`, or `storage` when the stored manifest is damaged. */
  manifest(digest: Digest): Promise<Manifest>;
  /** Finds the model at a path, hashes it and registers it. Nothing is visible before it is whole. */
  importModel(path: string, options?: ImportOptions): Promise<ImportResult>;
  /** Hashes a linked model again whose originals changed. The alias moves to the new content; the old entry goes. */
  refresh(digest: Digest, options?: WorkOptions): Promise<ImportResult>;
  /** Moves a verified folder into the registry, in one step. */
  install(options: InstallOptions): Promise<RegistryEntry>;
  /** Names a model. `overwrite` takes the alias from the model that has it. @throws ModelRtcError `alias_taken` */
  tag(ref: string, alias: Alias, options?: TagOptions): Promise<RegistryEntry>;
  /** @throws ModelRtcError `alias_taken`, unless the alias is free or is that of the model `forDigest`. */
  checkAlias(alias: Alias, forDigest?: Digest): Promise<void>;
  /** Whether each file has the size and time that it had when it was hashed. */
  check(digest: Digest): Promise<CheckResult>;
  openModel(digest: Digest): Promise<ModelReader>;
  /** Where this machine's models hold these chunks; those that none holds are not in the map. */
  locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, ChunkLocation>>;
  /** The bytes at a location, not verified; undefined when they cannot be read any more. */
  readLocatedChunk(digest: Digest, location: ChunkLocation, into?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
