import { type DisplayStatus, type ListModelsParams, ModelRtcError, SORT_KEYS } from '@model-rtc/protocol';
import * as z from 'zod';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { compareRows, modelMatcher, type SortedRow, type SortKey, type SortValue, sortModels } from './list-order.ts';

export interface StoredPage {
  readonly models: readonly StoredEntry[];
  readonly nextCursor?: string | undefined;
  readonly total: number;
}

/** What a caller that lists often has already. */
export interface ListAids {
  /** All models in the order asked for. */
  readonly rows?: readonly SortedRow<StoredEntry>[] | undefined;
  /** What is shown as a model's status; its own unless told. */
  readonly shown?: ReadonlyMap<StoredEntry, DisplayStatus> | undefined;
}

/** A cursor says what the last entry of a page was, so that pages stay right while models come and go. */
const cursorSchema = z.tuple([z.enum(SORT_KEYS), z.union([z.string(), z.number(), z.null()]), z.string().max(128)]);

/**
 * One page of the models that match.
 * @throws ModelRtcError `bad_argument` when the cursor is not one that this list gave
 */
export function listPage(index: RegistryIndex, params: ListModelsParams, aids: ListAids = {}): StoredPage {
  const { filters, sort, cursor, limit } = params;
  const matches = modelMatcher(filters);
  const all = aids.rows ?? sortModels(index.byId.values(), sort);
  const rows = all.filter(({ entry }) => matches(entry, aids.shown?.get(entry)));
  const start = cursor === undefined ? 0 : positionAfter(rows, decodeCursor(cursor, sort));
  const page = rows.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && start + limit < rows.length;
  return {
    models: page.map(({ entry }) => entry),
    ...(more && { nextCursor: encodeCursor(sort, last.value, last.entry.id) }),
    total: rows.length,
  };
}

function positionAfter(
  rows: readonly SortedRow<StoredEntry>[],
  after: { readonly value: SortValue; readonly id: string },
): number {
  const found = rows.findIndex((row) => compareRows(row, after.value, after.id) > 0);
  return found === -1 ? rows.length : found;
}

function encodeCursor(sort: SortKey, value: SortValue, id: string): string {
  return Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');
}

function decodeCursor(cursor: string, sort: SortKey): { value: SortValue; id: string } {
  try {
    const [of, value, id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    const wanted = sort === 'name' || sort === 'type' ? 'string' : 'number';
    if (of !== sort || typeof value !== wanted || value === null) throw new Error('it is of another order');
    return { value, id };
  } catch (thrown) {
    throw wrongCursor(cursor, thrown);
  }
}

function wrongCursor(cursor: string, cause: unknown): ModelRtcError {
  const sentence = 'The cursor is not one that this list gave in the same order; list from the start again.';
  return new ModelRtcError('bad_argument', sentence, { cause, details: { cursor } });
}
