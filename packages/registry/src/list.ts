import { type ListModelsParams, ModelRtcError, SORT_KEYS } from '@model-rtc/protocol';
import { z } from 'zod';
import type { RegistryIndex, StoredEntry } from './index-schema.ts';

export interface StoredPage {
  readonly models: readonly StoredEntry[];
  readonly nextCursor?: string | undefined;
  readonly total: number;
}

type SortKey = ListModelsParams['sort'];
type SortValue = string | number;

/** A cursor says what the last entry of a page was, so that pages stay right while models come and go. */
const cursorSchema = z.tuple([z.enum(SORT_KEYS), z.union([z.string(), z.number(), z.null()]), z.string().max(128)]);

/**
 * One page of the models that match.
 * @throws ModelRtcError `bad_argument` when the cursor is not one that this list gave
 */
export function listPage(index: RegistryIndex, params: ListModelsParams): StoredPage {
  const { filters, sort, cursor, limit } = params;
  const matches = [...index.byId.values()].filter(matcher(filters));
  const rows = matches.map((stored) => ({ stored, value: SORT_VALUES[sort](stored) }));
  rows.sort((a, b) => compareRows(a.value, a.stored.id, b.value, b.stored.id));
  const start = cursor === undefined ? 0 : positionAfter(rows, decodeCursor(cursor, sort));
  const page = rows.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && start + limit < rows.length;
  return {
    models: page.map(({ stored }) => stored),
    ...(more && { nextCursor: encodeCursor(sort, last.value, last.stored.id) }),
    total: rows.length,
  };
}

function matcher({ status, type, tag, alias }: ListModelsParams['filters']): (stored: StoredEntry) => boolean {
  const pattern = alias === undefined ? undefined : wildcard(alias);
  return (stored) =>
    (status === undefined || stored.status === status) &&
    (type === undefined || stored.modelType === type) &&
    (tag === undefined || stored.tags.includes(tag)) &&
    (pattern === undefined || (stored.alias !== undefined && pattern(stored.alias)));
}

/** A pattern's test: `*` is any run of characters. Linear, since each piece is taken where it first fits. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = text.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return text.length - at >= last.length && text.endsWith(last);
  };
}

/** What each order compares, so that ascending is the order wanted: newest, best and largest first, names from A. */
const SORT_VALUES: Readonly<Record<SortKey, (stored: StoredEntry) => SortValue>> = {
  date: (stored) => -(Date.parse(dateOf(stored) ?? '') || 0),
  name: (stored) => stored.alias?.toLowerCase() ?? `\uffff${stored.id}`,
  type: (stored) => stored.modelType,
  loss: (stored) => lossOf(stored) ?? Number.MAX_VALUE,
  size: (stored) => -stored.size,
};

function dateOf(stored: StoredEntry): string | undefined {
  return stored.completedAt ?? stored.createdAt ?? stored.downloadedAt ?? stored.importedAt;
}

/** The loss that compares models best: on validation data before training data, the best before the last. */
function lossOf({ metrics }: StoredEntry): number | undefined {
  const losses = Object.entries(metrics).filter(
    (pair): pair is [string, number] => typeof pair[1] === 'number' && /loss$/i.test(pair[0]),
  );
  const rank = (name: string): number => (/val/i.test(name) ? 0 : 2) + (/best|min/i.test(name) ? 0 : 1);
  losses.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return losses[0]?.[1];
}

function compareRows(a: SortValue, aId: string, b: SortValue, bId: string): number {
  if (a !== b) return a < b ? -1 : 1;
  if (aId === bId) return 0;
  return aId < bId ? -1 : 1;
}

function positionAfter(
  rows: readonly { stored: StoredEntry; value: SortValue }[],
  after: { value: SortValue; id: string },
): number {
  const found = rows.findIndex(({ value, stored }) => compareRows(value, stored.id, after.value, after.id) > 0);
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
