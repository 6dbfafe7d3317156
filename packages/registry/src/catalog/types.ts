import type { Backend, CatalogModel, CatalogPage, PlannedModel } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { RemoveOptions } from '../manage/types.ts';

/** Who asks: the owner of this machine, or the holder of a session. */
export type CatalogAsker = 'owner' | 'session';

/** A model that was registered and may not be here yet, as `catalog.json` holds it. */
export interface StoredPlan extends PlannedModel {
  readonly registeredAt: string;
  /** Registered over a session: only such ones may be removed over a session. */
  readonly bySession?: true | undefined;
}

export interface CatalogPageOptions {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** What this machine can compute on. */
  readonly hardware: ReadonlySet<Backend>;
}

/** A model of the catalog with what this machine knows of it: its plan, its entry, or both. */
export interface CatalogItem {
  readonly id: string;
  readonly plan?: StoredPlan | undefined;
  readonly entry?: RegistryEntry | undefined;
}

export interface UnregisterOptions {
  /** Delete the model too, with its files. */
  readonly withFiles?: boolean | undefined;
  readonly needed?: RemoveOptions['needed'];
}

export interface Unregistered {
  readonly item: CatalogItem;
  /** Bytes freed on the disk; undefined when no model was deleted. */
  readonly freedBytes?: number | undefined;
}

/** What this machine has and plans to have, as one list. The registry says what there is; only plans are stored. */
export interface Catalog {
  /** A page of it, in the order of ids. @throws ModelRtcError `refused` for plans of a newer version, `bad_argument` for a cursor */
  catalogPage(options: CatalogPageOptions): Promise<CatalogPage>;
  /** An item as the catalog shows it. */
  catalogModel(item: CatalogItem, hardware: ReadonlySet<Backend>): CatalogModel;
  /** What an id of the catalog names, or else a registry's id, alias, digest or full name. @throws ModelRtcError `not_found_locally`, `ambiguous` */
  catalogItem(id: string): Promise<CatalogItem>;
  /** Registers a model that is not here. @throws ModelRtcError `bad_argument` when the id is taken or can be a registry's own */
  registerModel(plan: PlannedModel, by?: CatalogAsker): Promise<CatalogItem>;
  /**
   * Registers those whose ids are free, in one step.
   * @returns the ids that were taken
   */
  registerModels(plans: readonly PlannedModel[]): Promise<readonly string[]>;
  /** Notes which model came for a plan, so that it stays under the plan's id. */
  recordFetched(id: string, entry: Pick<RegistryEntry, 'digest'>): Promise<CatalogItem>;
  /**
   * Removes a plan, and its model where that is asked for.
   * @throws ModelRtcError `not_found_locally`; `refused` for a model that would stay, and for a session that did not register it
   */
  unregisterModel(id: string, options?: UnregisterOptions, by?: CatalogAsker): Promise<Unregistered>;
}
