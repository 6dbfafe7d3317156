import { join } from 'node:path';
import { mapLimit } from '@model-rtc/files';
import {
  type DisplayStatus,
  type ListModelsParams,
  MODEL_STATUSES,
  ModelRtcError,
  SORT_KEYS,
} from '@model-rtc/protocol';
import * as z from 'zod';
import type { RegistryContext } from '../context.ts';
import { displayStatus } from '../entry/registry-entry.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { compareRows, modelMatcher, type SortedRow, type SortKey, sortModels } from './list-order.ts';
import type { ModelList } from './types.ts';

/** Files looked at on the disk at once. */
const LOOKS_AT_ONCE = 64;

type Row = SortedRow<StoredEntry>;
type Rows = readonly Row[];

/** What stays true while the index is the same one. */
interface Kept {
  readonly index: RegistryIndex;
  readonly sorted: Map<SortKey, Rows>;
  /** The statuses seen on the disk when the first page was listed. */
  shown: Map<StoredEntry, DisplayStatus>;
}

export function createModelList({ index, paths, show }: RegistryContext): ModelList {
  let kept: Kept | undefined;

  /** @param isNew a new list shows the disk as it is now, and its later pages go on with that */
  async function matchingRows(
    { filters, sort }: Pick<ListModelsParams, 'filters' | 'sort'>,
    isNew: boolean,
  ): Promise<Rows> {
    const now = await index.read();
    if (kept?.index !== now) kept = { index: now, sorted: new Map(), shown: new Map() };
    const known = kept;
    if (isNew) known.shown = new Map();
    const rows = known.sorted.get(sort) ?? sortModels(now.byId.values(), sort);
    known.sorted.set(sort, rows);
    const shown = await shownStatuses(known, filters, paths.models);
    if (Object.values(filters).every((wanted) => wanted === undefined)) return rows;
    const matches = modelMatcher(filters);
    return rows.filter(({ entry }) => matches(entry, shown?.get(entry)));
  }

  return {
    async page(params) {
      const { models, ...page } = pageOf(await matchingRows(params, params.cursor === undefined), params);
      return { ...page, models: await mapLimit(models, LOOKS_AT_ONCE, show) };
    },
    matching: async (params) => (await matchingRows(params, true)).map(({ entry }) => entry),
  };
}

/** The shown statuses of the models that a status filter could list. Without such a filter it looks at nothing. */
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
    shown.set(stored, await displayStatus(stored, stored.filesIn ?? join(models, stored.folder)));
  });
  return shown;
}

/**
 * One page of the rows.
 * @throws ModelRtcError `bad_argument` when the cursor is not one that this list gave
 */
export function pageOf(
  rows: Rows,
  { sort, cursor, limit }: Pick<ListModelsParams, 'sort' | 'cursor' | 'limit'>,
): { readonly models: StoredEntry[]; readonly nextCursor?: string; readonly total: number } {
  const start = cursor === undefined ? 0 : positionAfter(rows, cursor, sort);
  const page = rows.slice(start, start + limit);
  const last = page.at(-1);
  const hasMore = last !== undefined && start + limit < rows.length;
  return {
    models: page.map(({ entry }) => entry),
    ...(hasMore && { nextCursor: encodeCursor(sort, last) }),
    total: rows.length,
  };
}

/** A cursor tells what the last entry of a page was, so that pages stay right while models come and go. */
const cursorSchema = z.tuple([z.enum(SORT_KEYS), z.union([z.string(), z.number()]), z.string().max(128)]);

function encodeCursor(sort: SortKey, { value, entry }: SortedRow<StoredEntry>): string {
  return Buffer.from(JSON.stringify([sort, value, entry.id])).toString('base64url');
}

function positionAfter(rows: Rows, cursor: string, sort: SortKey): number {
  try {
    const [of, value, id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    const wanted = sort === 'name' || sort === 'type' ? 'string' : 'number';
    if (of !== sort || typeof value !== wanted) throw new Error('it is of another order');
    const found = rows.findIndex((row) => compareRows(row, value, id) > 0);
    return found === -1 ? rows.length : found;
  } catch (thrown) {
    throw wrongCursor(cursor, thrown);
  }
}

function wrongCursor(cursor: string, cause: unknown): ModelRtcError {
  const sentence = 'This list did not give the cursor, or gave it in another order. List from the start again.';
  return new ModelRtcError('bad_argument', sentence, { cause, details: { cursor } });
}
