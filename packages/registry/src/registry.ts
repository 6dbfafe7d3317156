import type { Alias, Digest, ListModelsParams, Manifest } from '@model-rtc/protocol';
import type { Archives } from './archive/types.ts';
import type { Catalog } from './catalog/types.ts';
import type { ChunkLocation } from './chunks/types.ts';
import type { Conversions } from './convert/conversions.ts';
import type { RegistryEntry, ResolvedModel, ResolveOptions } from './entry/types.ts';
import type { Eviction } from './eviction/types.ts';
import type { Exports } from './export/types.ts';
import type { FileSets } from './file-sets/types.ts';
import type { CheckResult, ModelReader } from './files/types.ts';
import type {
  FindOptions,
  ImportOptions,
  ImportResult,
  InstallOptions,
  ModelInFolder,
  StagedFilesOptions,
  WorkOptions,
} from './import/types.ts';
import type { Inspection } from './inspect/inspection.ts';
import type { ModelPage } from './list/types.ts';
import type { Management, TagOptions } from './manage/types.ts';
import type { Runs } from './runs/types.ts';
import type { DataPaths } from './store/data-folder.ts';
import type { Validation } from './validate/types.ts';
import type { Verification } from './verify/types.ts';
import type { SeenWorkers } from './workers/types.ts';

/** The models of this machine. Any number of processes may have it open at once. */
export interface Registry
  extends Management,
    Verification,
    Validation,
    Inspection,
    Archives,
    Catalog,
    Exports,
    SeenWorkers,
    FileSets,
    Runs,
    Conversions,
    Eviction,
    AsyncDisposable {
  readonly paths: DataPaths;
  /** One page of the models that match, sorted. */
  list(params: ListModelsParams): Promise<ModelPage>;
  /**
   * The model that a person's reference names: an id, an alias, the first 6 or more characters of a digest, a full name, or a
   * path. Warns
   * in the log when it could also mean a file or folder of the working directory.
   * @throws ModelRtcError `not_found_locally` (with the closest aliases), `ambiguous` (with the candidates).
   */
  resolve(ref: string, options?: ResolveOptions): Promise<ResolvedModel>;
  find(digest: Digest): Promise<RegistryEntry | undefined>;
  /** @throws ModelRtcError `not_found_locally`, or `storage` when the stored manifest is damaged. */
  manifest(digest: Digest): Promise<Manifest>;
  /** Finds the model at a path, hashes it and registers it. Nothing is visible before it is whole. */
  importModel(path: string, options?: ImportOptions): Promise<ImportResult>;
  /**
   * The models at a path that holds several, for an import of each. Empty where one import is enough, or fails.
   * @throws ModelRtcError `not_found_locally`, `storage`
   */
  findModels(path: string, options?: FindOptions): Promise<ModelInFolder[]>;
  /**
   * Hashes a linked model again after its originals changed. The alias moves to the new content, and the old entry goes.
   */
  refresh(digest: Digest, options?: WorkOptions): Promise<ImportResult>;
  /**
   * Makes the manifest of verified files that came without one: what `install` takes, cut as an import cuts it.
   * @throws ModelRtcError `verification_failed` when a file does not have its SHA-256
   */
  stagedManifest(options: StagedFilesOptions): Promise<Manifest>;
  /** Moves a verified folder into the registry, in one step. */
  install(options: InstallOptions): Promise<RegistryEntry>;
  /** Names a model. `overwrite` takes the alias from the model that has it. @throws ModelRtcError `alias_taken` */
  tag(ref: string, alias: Alias, options?: TagOptions): Promise<RegistryEntry>;
  /** @throws ModelRtcError `alias_taken`, unless the alias is free or is that of the model `forDigest`. */
  checkAlias(alias: Alias, forDigest?: Digest): Promise<void>;
  /** Whether each file has the size and time that it had when it was hashed. */
  check(digest: Digest): Promise<CheckResult>;
  /** While the reader is open, the model is not removed to make room. */
  openModel(digest: Digest): Promise<ModelReader>;
  /** Where this machine's models hold these chunks. Chunks that no model holds are not in the map. */
  locateChunks(digests: Iterable<Digest>): Promise<Map<Digest, ChunkLocation>>;
  /** The unverified bytes at a location; undefined when they can no longer be read. */
  readLocatedChunk(digest: Digest, location: ChunkLocation, into?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
