import type { Alias, Digest, ModelEntry } from '@model-rtc/protocol';
import type { RegistryContext } from '../registry-context.ts';

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
  readonly syncedAt: string;
  readonly models: readonly CatalogModel[];
}

/** What a sync brought. */
export interface CatalogChanges {
  readonly added: readonly ModelEntry[];
  readonly updated: readonly ModelEntry[];
  readonly removed: readonly ModelEntry[];
  /** Models that both sides have under different aliases. */
  readonly aliasDifferences: readonly {
    readonly digest: Digest;
    readonly here?: Alias | undefined;
    readonly there?: Alias | undefined;
  }[];
}

export interface Availability extends KnownWorker {
  readonly seenAt: string;
  readonly alias?: Alias | undefined;
}

/** What other machines have, as it was last seen. */
export interface Catalogs {
  /** Replaces what is known of a worker by all that it has now. */
  recordCatalog(worker: KnownWorker, models: readonly ModelEntry[]): Promise<CatalogChanges>;
  /** Notes that a worker has these models now, and says nothing of its others. */
  recordSeen(worker: KnownWorker, models: readonly ModelEntry[]): Promise<void>;
  catalogs(): Promise<readonly WorkerCatalog[]>;
  /** Which workers have a model, latest sighting first. */
  availability(digest: Digest): Promise<readonly Availability[]>;
}

export function createCatalogs(_context: RegistryContext): Catalogs {
  return {} as Catalogs; // BEING BUILT
}
