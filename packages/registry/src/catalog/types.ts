import type { Alias, Digest, ListModelsParams, ModelEntry } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';

/** A worker as this machine knows it. */
export interface KnownWorker {
  /** Names it for good: made from its public key, hex. */
  readonly key: string;
  /** What a person or the worker calls it; it may change. */
  readonly name: string;
}

export interface CatalogModel {
  readonly entry: ModelEntry;
  /** When the worker was last seen to have it (ISO 8601). */
  readonly seenAt: string;
}

/** What was last known of a worker's models. */
export interface WorkerCatalog extends KnownWorker {
  /** When it was last heard of at all (ISO 8601). */
  readonly seenAt: string;
  /** When all of its models were last asked for; not there when they never were. */
  readonly syncedAt?: string | undefined;
  readonly models: readonly CatalogModel[];
}

/** A model that both sides have under different aliases, or that only one of them has an alias for. */
export interface AliasDifference {
  readonly digest: Digest;
  /** The model's id on this machine. */
  readonly id: string;
  readonly here?: Alias | undefined;
  readonly there?: Alias | undefined;
}

/** What a sync brought. */
export interface CatalogChanges {
  readonly added: readonly ModelEntry[];
  readonly updated: readonly ModelEntry[];
  readonly removed: readonly ModelEntry[];
  readonly aliasDifferences: readonly AliasDifference[];
}

/** That a worker has a model. */
export interface Availability extends KnownWorker {
  readonly seenAt: string;
  /** What the model is called there. */
  readonly alias?: Alias | undefined;
}

/** Where listed models are: on this machine; at a worker, as it was last seen; on both; anywhere. */
export type ModelLocation = 'local' | 'worker' | 'both' | 'all';

export interface ListKnownParams extends Pick<ListModelsParams, 'filters' | 'sort'> {
  readonly location: ModelLocation;
  /** Count as workers only these, by key. With it, `local` is what is here and at one of them. */
  readonly workers?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** A model of this machine, of workers, or of both. */
export interface KnownModel {
  /** As this machine tells of it when it is listed for being here, else as the worker that was seen with it last. */
  readonly entry: ModelEntry;
  /** Not there when this machine does not have it. */
  readonly here?: RegistryEntry | undefined;
  /** The workers that have it, latest sighting first. */
  readonly availability: readonly Availability[];
}

export interface KnownPage {
  readonly models: readonly KnownModel[];
  /** All that match, also those beyond the limit. */
  readonly total: number;
}

/** What other machines have, as it was last seen: a cache of what they said, kept from one command to the next. */
export interface Catalogs {
  /** Replaces what is known of a worker by all that it has now. */
  recordCatalog(worker: KnownWorker, models: readonly ModelEntry[]): Promise<CatalogChanges>;
  /** Notes that a worker has these models now, and says nothing of its others. */
  recordSeen(worker: KnownWorker, models: readonly ModelEntry[]): Promise<void>;
  /** All of them, the worker that was seen last first. */
  catalogs(): Promise<readonly WorkerCatalog[]>;
  /** What is known of one worker; undefined when nothing is. */
  catalog(key: string): Promise<WorkerCatalog | undefined>;
  /** Which workers have a model, latest sighting first. */
  availability(digest: Digest): Promise<readonly Availability[]>;
  /** The same of many models at once; one that no worker is known to have is not in the map. */
  availabilities(digests: Iterable<Digest>): Promise<ReadonlyMap<Digest, readonly Availability[]>>;
  /** The models here and at workers in one list. */
  listKnown(params: ListKnownParams): Promise<KnownPage>;
  /** Models that a worker has just told of, with whether they are here and who else has them. */
  alsoKnown(entries: readonly ModelEntry[]): Promise<readonly KnownModel[]>;
  /** The models at workers that a reference names: an id, else an alias, else the first 6 or more characters of a digest. */
  findElsewhere(ref: string): Promise<readonly KnownModel[]>;
}
