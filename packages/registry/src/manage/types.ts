import type { Alias, AliasConflict, Digest } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';

export interface ModelChanges {
  /** Replaces the notes; an empty text removes them. */
  readonly notes?: string | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  readonly clearTags?: boolean | undefined;
}

/** Chunks that an unfinished transfer has not got yet. */
export interface NeededChunks {
  /** The model that is being transferred, for messages. */
  readonly model: Digest;
  readonly digests: ReadonlySet<Digest>;
}

export interface RemoveOptions {
  /** Move the model's own files to `paths.kept` instead of deleting them. Originals of links always stay. */
  readonly keepFiles?: boolean | undefined;
  /** What unfinished transfers still need: a model that has the only copy of such a chunk is not removed. */
  readonly needed?: readonly NeededChunks[] | undefined;
}

export interface RemovedModel {
  readonly entry: RegistryEntry;
  /** Bytes that the disk has more of now, as far as file sizes tell. */
  readonly freedBytes: number;
  /** Where the files are with `keepFiles`. */
  readonly keptAt?: string | undefined;
}

export interface AliasRecord {
  readonly entry: RegistryEntry;
  readonly alias: Alias;
  readonly since?: string | undefined;
  /** Not there for the model that has the alias now. */
  readonly until?: string | undefined;
}

export interface Lineage {
  readonly entry: RegistryEntry;
  /** What it was made from directly; a merge of models has several. */
  readonly parents: readonly LineageLink[];
  /** From first parent to first parent, nearest first, up to the first that is not on this machine. */
  readonly ancestors: readonly LineageLink[];
  /** The models on this machine that were made from it. */
  readonly children: readonly RegistryEntry[];
}

export interface LineageLink {
  /** As the child names its parent. */
  readonly name: string;
  /** Not there when this machine does not have it. */
  readonly entry?: RegistryEntry | undefined;
}

export interface CleanOptions {
  /** For each alias, this many of the versions that lost it last stay; 0 when left out. */
  readonly keep?: number | undefined;
  /** What lost its alias, or came here, less than this ago stays. */
  readonly olderThanMs?: number | undefined;
  /** Also models that never had an alias, tag or note, and that nothing descends from. */
  readonly unused?: boolean | undefined;
  readonly needed?: readonly NeededChunks[] | undefined;
}

export interface KeptFolder {
  readonly path: string;
  readonly bytes: number;
}

export interface CleanCandidate {
  readonly entry: RegistryEntry;
  /** As the end of a sentence. */
  readonly reason: string;
  readonly freesBytes: number;
}

export interface CleanPlan {
  readonly remove: readonly CleanCandidate[];
  /** What would go but for the reason. */
  readonly spared: readonly CleanCandidate[];
  /** What deleted models left with `keepFiles` and no model links to. Cleaning never touches it. */
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

/** What people do with models besides moving them. */
export interface Management {
  /**
   * Changes notes and tags; tags are cleared or removed first, then added.
   * @throws ModelRtcError `bad_argument` for a tag that is none
   */
  update(ref: string, changes: ModelChanges): Promise<RegistryEntry>;
  /** Takes the alias from the model that has it. @throws ModelRtcError `not_found_locally` */
  untag(alias: string): Promise<RegistryEntry>;
  /** @throws ModelRtcError `refused` when an unfinished transfer needs a chunk that only this model has */
  remove(ref: string, options?: RemoveOptions): Promise<RemovedModel>;
  /** What an alias pointed to, newest first: the alias itself, or the one of the model that the reference names. */
  history(ref: string): Promise<AliasHistory>;
  /**
   * Gives an alias back to the model that had it before, or to the one named, which must have had it once. Called twice it
   * is back where it was.
   * @throws ModelRtcError `not_found_locally`, `refused` when the model before has another alias, which it would lose
   */
  rollback(alias: string, to?: string): Promise<Rollback>;
  lineage(ref: string): Promise<Lineage>;
  /** What cleaning would remove; nothing is changed. */
  planCleaning(options?: CleanOptions): Promise<CleanPlan>;
}

export interface TagOptions {
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Short for `aliasConflict: 'overwrite'`. */
  readonly overwrite?: boolean | undefined;
}
