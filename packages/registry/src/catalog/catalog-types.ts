import type { Alias, Digest, ModelEntry } from '@model-rtc/protocol';

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
