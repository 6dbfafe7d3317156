import type { Alias, Digest, ListModelsParams, ModelEntry } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';

/** A worker as this machine knows it. */
export interface KnownWorker {
  /** Its permanent name: made from its public key, hex. */
  readonly key: string;
  /** The name that a person or the worker chose; it may change. */
  readonly name: string;
}

export interface SeenModel {
  readonly entry: ModelEntry;
  /** When the worker was last seen to have it (ISO 8601). */
  readonly seenAt: string;
}

/** The last known state of a worker's models. */
export interface SeenWorker extends KnownWorker {
  /** When it was last seen at all (ISO 8601). */
  readonly seenAt: string;
  /** When all of its models were last listed; undefined if never. */
  readonly syncedAt?: string | undefined;
  readonly models: readonly SeenModel[];
}

/** A model that both sides have, under different aliases or with an alias on one side only. */
export interface AliasDifference {
  readonly digest: Digest;
  /** The model's id on this machine. */
  readonly id: string;
  readonly here?: Alias | undefined;
  readonly there?: Alias | undefined;
}

/** What a sync changed. */
export interface WorkerChanges {
  readonly added: readonly ModelEntry[];
  readonly updated: readonly ModelEntry[];
  readonly removed: readonly ModelEntry[];
  readonly aliasDifferences: readonly AliasDifference[];
}

/** A worker that has a model. */
export interface Availability extends KnownWorker {
  readonly seenAt: string;
  /** The model's alias there. */
  readonly alias?: Alias | undefined;
}

/** Where the listed models are: on this machine; at a worker, as last seen; on both; anywhere. */
export type ModelLocation = 'local' | 'worker' | 'both' | 'all';

export interface ListKnownParams extends Pick<ListModelsParams, 'filters' | 'sort'> {
  readonly location: ModelLocation;
  /** Only these workers, by key. With it, `local` means here and at one of them. */
  readonly workers?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** A model of this machine, of workers, or of both. */
export interface KnownModel {
  /** As this machine describes it when it is listed because it is here, else as the worker seen with it last does. */
  readonly entry: ModelEntry;
  /** Undefined when this machine does not have it. */
  readonly here?: RegistryEntry | undefined;
  /** The workers that have it, latest sighting first. */
  readonly availability: readonly Availability[];
}

export interface KnownPage {
  readonly models: readonly KnownModel[];
  /** All that match, even beyond the limit. */
  readonly total: number;
}

/** What other machines have, as last seen: a cache of their answers, kept from one command to the next. */
export interface SeenWorkers {
  /** Replaces what a worker had with all that it has now. */
  recordWorker(worker: KnownWorker, models: readonly ModelEntry[]): Promise<WorkerChanges>;
  /** Notes that a worker has these models now, and leaves its others as they were. */
  recordSeen(worker: KnownWorker, models: readonly ModelEntry[]): Promise<void>;
  /** All workers that were seen, the worker seen last first. */
  seenWorkers(): Promise<readonly SeenWorker[]>;
  /** One worker, if it was seen. */
  seenWorker(key: string): Promise<SeenWorker | undefined>;
  /** Forgets a worker and all its models. @returns whether it was known */
  forgetWorker(key: string): Promise<boolean>;
  /** Which workers have a model, latest sighting first. */
  availability(digest: Digest): Promise<readonly Availability[]>;
  /** The models here and at workers in one list. */
  listKnown(params: ListKnownParams): Promise<KnownPage>;
  /** Models that a worker has just listed, with whether they are here and who else has them. */
  alsoKnown(entries: readonly ModelEntry[]): Promise<readonly KnownModel[]>;
  /** The models at workers that a reference names: an id, else an alias, else the first 6 or more characters of a digest. */
  findElsewhere(ref: string): Promise<readonly KnownModel[]>;
}
