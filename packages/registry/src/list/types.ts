import type { ListModelsParams } from '@model-rtc/protocol';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';

export interface ModelPage {
  readonly models: RegistryEntry[];
  /** What the next call gives as `cursor`; not there on the last page. */
  readonly nextCursor?: string | undefined;
  /** All that match the filters, on every page. */
  readonly total: number;
}

/** This machine's models in order. A list is asked for page by page: what is the same on each is kept between them. */
export interface ModelList {
  page(params: ListModelsParams): Promise<ModelPage>;
  /** All that match, in order. */
  matching(params: Pick<ListModelsParams, 'filters' | 'sort'>): Promise<readonly StoredEntry[]>;
}
