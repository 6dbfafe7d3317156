import type { ListModelsParams } from '@model-rtc/protocol';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';

export interface ModelPage {
  readonly models: RegistryEntry[];
  /** Pass it as `cursor` in the next call; undefined on the last page. */
  readonly nextCursor?: string | undefined;
  /** All that match the filters, on every page. */
  readonly total: number;
}

/** This machine's models in order. It keeps what is the same for all pages of a list between calls. */
export interface ModelList {
  page(params: ListModelsParams): Promise<ModelPage>;
  /** All that match, in order. */
  matching(params: Pick<ListModelsParams, 'filters' | 'sort'>): Promise<readonly StoredEntry[]>;
}
