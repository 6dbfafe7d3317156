import { join } from 'node:path';
import { mapLimit } from '@model-rtc/files';
import { type DisplayStatus, type ListModelsParams, MODEL_STATUSES } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { displayStatus, toRegistryEntry } from '../entry/registry-entry.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { modelMatcher, type SortedRow, type SortKey, sortModels } from './list-order.ts';
import { listPage } from './list-page.ts';
import type { ModelList, ModelPage } from './types.ts';

/** Looks at the disk that may be under way at once. */
const LOOKS_AT_ONCE = 64;

/** What holds as long as the index is the same one. */
interface Kept {
  readonly index: RegistryIndex;
  readonly sorted: Map<SortKey, readonly SortedRow<StoredEntry>[]>;
  /** What was seen of models on the disk when their first page was listed. */
  shown: Map<StoredEntry, DisplayStatus>;
}

export function createModelList({ index, paths }: Pick<RegistryContext, 'index' | 'paths'>): ModelList {
  let kept: Kept | undefined;

  async function current(): Promise<Kept> {
    const now = await index.read();
    if (kept?.index !== now) kept = { index: now, sorted: new Map(), shown: new Map() };
    return kept;
  }

  async function page(params: ListModelsParams): Promise<ModelPage> {
    const known = await current();
    // A new list shows the disk as it is now, and its later pages go on with that.
    if (params.cursor === undefined) known.shown = new Map();
    const rows = rowsOf(known, params.sort);
    const shown = await shownStatuses(known, params.filters, paths.models);
    const found = listPage(known.index, params, { rows, shown });
    const models = await mapLimit(found.models, LOOKS_AT_ONCE, (stored) => toRegistryEntry(stored, paths.models));
    return { ...found, models };
  }

  async function matching({ filters, sort }: Pick<ListModelsParams, 'filters' | 'sort'>): Promise<StoredEntry[]> {
    const known = await current();
    known.shown = new Map();
    const shown = await shownStatuses(known, filters, paths.models);
    const matches = modelMatcher(filters);
    return rowsOf(known, sort)
      .filter(({ entry }) => matches(entry, shown?.get(entry)))
      .map(({ entry }) => entry);
  }

  return { page, matching };
}

function rowsOf({ index, sorted }: Kept, sort: SortKey): readonly SortedRow<StoredEntry>[] {
  const rows = sorted.get(sort) ?? sortModels(index.byId.values(), sort);
  sorted.set(sort, rows);
  return rows;
}

/** What is shown of the models that a status could leave in the list; nothing is looked at when none is asked for. */
async function shownStatuses(
  { index, shown }: Kept,
  filters: ListModelsParams['filters'],
  models: string,
): Promise<Kept['shown'] | undefined> {
  const { status, ...others } = filters;
  if (status === undefined) return undefined;
  const isOwn = (MODEL_STATUSES as readonly string[]).includes(status);
  const matches = modelMatcher(others);
  const unseen = [...index.byId.values()].filter(
    (stored) => !shown.has(stored) && matches(stored) && (!isOwn || stored.status === status),
  );
  await mapLimit(unseen, LOOKS_AT_ONCE, async (stored) => {
    shown.set(stored, await displayStatus(stored, join(models, stored.folder)));
  });
  return shown;
}
