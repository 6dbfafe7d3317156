import type { Alias, AliasConflict, Digest, Release } from '@model-rtc/protocol';
import type { NamePair } from '../entry/full-names.ts';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';

export type { NamePair } from '../entry/full-names.ts';

export interface ModelChanges {
  /** Replaces the notes; an empty text removes them. */
  readonly notes?: string | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  readonly clearTags?: boolean | undefined;
  /** Whether to keep it from being removed to make room. */
  readonly pinned?: boolean | undefined;
  /** Replaces the full name. */
  readonly name?: string | undefined;
  /** Other models of that name lose it. */
  readonly takesName?: boolean | undefined;
  /** Where on a hub it comes from. */
  readonly hub?: RegistryEntry['hub'];
  /** The license that a person of this machine agreed to. */
  readonly licenseAccepted?: RegistryEntry['licenseAccepted'];
}

/** Chunks that an unfinished transfer still lacks. */
export interface NeededChunks {
  /** The model in transfer, for messages. */
  readonly model: Digest;
  readonly digests: ReadonlySet<Digest>;
}

/** The models that have names which another one is to get. */
export interface TakenNames {
  readonly owners: readonly RegistryEntry[];
  readonly free: NamePair;
}

/** Names of a model in static registries to add and to remove. */
export interface ReleaseChange {
  readonly add?: readonly Release[] | undefined;
  readonly remove?: readonly Release[] | undefined;
}

export interface RemoveOptions {
  /** Move the model's own files to `paths.kept` instead of deleting them. Originals of links always stay. */
  readonly keepFiles?: boolean | undefined;
  /** What unfinished transfers still need. A model with the only copy of such a chunk is not removed. */
  readonly needed?: readonly NeededChunks[] | undefined;
  /** Asked under the registry's lock: the model only goes if this still allows it. */
  readonly mayGo?: ((stored: StoredEntry) => Promise<boolean>) | undefined;
}

export interface RemovedModel {
  readonly entry: RegistryEntry;
  /** Bytes freed on the disk, judging by file sizes. */
  readonly freedBytes: number;
  /** Where the files are with `keepFiles`. */
  readonly keptAt?: string | undefined;
}

export interface AliasRecord {
  readonly entry: RegistryEntry;
  readonly alias: Alias;
  readonly since?: string | undefined;
  /** Undefined for the model that has the alias now. */
  readonly until?: string | undefined;
}

export interface Lineage {
  readonly entry: RegistryEntry;
  /** The models it was made from directly; a merge has several. */
  readonly parents: readonly LineageLink[];
  /** From first parent to first parent, nearest first, up to the first that is not on this machine. */
  readonly ancestors: readonly LineageLink[];
  /** The models on this machine that were made from it. */
  readonly children: readonly RegistryEntry[];
}

export interface LineageLink {
  /** The child's name for its parent. */
  readonly name: string;
  /** Undefined when this machine does not have it. */
  readonly entry?: RegistryEntry | undefined;
}

export interface CleanOptions {
  /** Keep this many of the versions that lost each alias last. 0 by default. */
  readonly keep?: number | undefined;
  /** Keep models that lost their alias, or came here, less than this ago. */
  readonly olderThanMs?: number | undefined;
  /** Include models that never had an alias, tag or note, and that nothing descends from. */
  readonly unused?: boolean | undefined;
  readonly needed?: readonly NeededChunks[] | undefined;
}

export interface KeptFolder {
  readonly path: string;
  readonly bytes: number;
}

/** A folder in `models/` that holds no readable model. */
export interface UnknownFolder extends KeptFolder {
  /** Its name in `models/`. */
  readonly folder: string;
  readonly files: number;
}

export interface CleanCandidate {
  readonly entry: RegistryEntry;
  /** As the end of a sentence. */
  readonly reason: string;
  readonly freesBytes: number;
}

export interface CleanPlan {
  readonly remove: readonly CleanCandidate[];
  /** Models that stay, and the reason. */
  readonly spared: readonly CleanCandidate[];
  /** Kept files of deleted models that no model links to. Cleaning never touches them. */
  readonly kept: readonly KeptFolder[];
}

export interface AliasHistory {
  readonly alias: Alias;
  readonly records: readonly AliasRecord[];
}

export interface Rollback {
  readonly entry: RegistryEntry;
  /** The model that had the alias until now. */
  readonly from?: RegistryEntry | undefined;
}

/** Everything people do with models other than moving them. */
export interface Management {
  /**
   * Changes notes and tags. Clears or removes tags first, then adds.
   * @throws ModelRtcError `bad_argument` for an invalid tag
   */
  update(ref: string, changes: ModelChanges): Promise<RegistryEntry>;
  /** Takes the alias from the model that has it. @throws ModelRtcError `not_found_locally` */
  untag(alias: string): Promise<RegistryEntry>;
  /** @throws ModelRtcError `refused` when an unfinished transfer needs a chunk that only this model has */
  remove(ref: string, options?: RemoveOptions): Promise<RemovedModel>;
  /** What an alias pointed to, newest first: the alias itself, or the one of the model that the reference names. */
  history(ref: string): Promise<AliasHistory>;
  /**
   * Gives an alias back to the model that had it before, or to the named model, which must have had it once. A second call
   * undoes the first.
   * @throws ModelRtcError `not_found_locally`, `refused` when the model before has another alias, which it would lose
   */
  rollback(alias: string, to?: string): Promise<Rollback>;
  /**
   * Which models have a full name or an alias that another model is to get, and a pair that is free. @returns undefined when nobody
   * has them
   */
  namesTaken(wanted: NamePair): Promise<TakenNames | undefined>;
  /** The models that come from a hub, or from this repository of one. */
  fromHub(repo?: string): Promise<readonly RegistryEntry[]>;
  /** The model that was installed as this version of a static registry, or got its name from another agent. */
  findRelease(release: Release): Promise<RegistryEntry | undefined>;
  /** The model that this machine itself took from the manifest of this hash. */
  findByManifest(manifest: Digest): Promise<RegistryEntry | undefined>;
  /** Changes what static registries call a model; an added name is taken from any other. @throws ModelRtcError `not_found_locally` */
  changeReleases(digest: Digest, change: ReleaseChange): Promise<RegistryEntry>;
  lineage(ref: string): Promise<Lineage>;
  /** What cleaning would remove; nothing is changed. */
  planCleaning(options?: CleanOptions): Promise<CleanPlan>;
  /** The folders in `models/` that hold no readable model. */
  unknownFolders(): Promise<readonly UnknownFolder[]>;
  /** Moves such a folder to `kept/`. @returns where it is now; undefined when it is a model after all, or gone */
  keepUnknownFolder(folder: string): Promise<string | undefined>;
}

export interface TagOptions {
  /** What to do when another model has the alias. Refused by default. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Short for `aliasConflict: 'overwrite'`. */
  readonly overwrite?: boolean | undefined;
}
