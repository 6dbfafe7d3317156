import type { DisplayStatus, ListModelsParams, ModelEntry } from '@model-rtc/protocol';

export type SortKey = ListModelsParams['sort'];
export type SortValue = string | number;

/** A model with its sort value. */
export interface SortedRow<E extends ModelEntry> {
  readonly entry: E;
  readonly value: SortValue;
}

/** Whether a model matches. Pass the shown status when it differs from the model's own. */
export type ModelMatcher = (entry: ModelEntry, shown?: DisplayStatus) => boolean;

export function modelMatcher({ status, type, tag, alias }: ListModelsParams['filters']): ModelMatcher {
  const pattern = alias === undefined ? undefined : wildcard(alias);
  return (entry, shown = entry.displayStatus ?? entry.status) =>
    (status === undefined || shown === status) &&
    (type === undefined || entry.modelType === type) &&
    (tag === undefined || entry.tags.includes(tag)) &&
    (pattern === undefined || (entry.alias !== undefined && pattern(entry.alias)));
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

/** The value that each order compares. Ascending gives the newest, best and largest first, and names from A. */
const SORT_VALUES: Readonly<Record<SortKey, (entry: ModelEntry) => SortValue>> = {
  date: (entry) => -(Date.parse(modelDate(entry) ?? '') || 0),
  name: (entry) => entry.alias?.toLowerCase() ?? `\uffff${entry.id}`,
  type: (entry) => entry.modelType,
  loss: (entry) => modelLoss(entry) ?? Number.MAX_VALUE,
  size: (entry) => -entry.size,
};

export function sortModels<E extends ModelEntry>(entries: Iterable<E>, sort: SortKey): SortedRow<E>[] {
  const rows = Array.from(entries, (entry) => ({ entry, value: SORT_VALUES[sort](entry) }));
  return rows.sort((a, b) => compareRows(a, b.value, b.entry.id));
}

/** Orders a row relative to another one; models with the same value go by id. */
export function compareRows({ entry, value }: SortedRow<ModelEntry>, other: SortValue, otherId: string): number {
  if (value !== other) return value < other ? -1 : 1;
  if (entry.id === otherId) return 0;
  return entry.id < otherId ? -1 : 1;
}

/** The date that lists show and sort by: when the model was made, as far as known. */
export function modelDate(entry: ModelEntry): string | undefined {
  return entry.completedAt ?? entry.createdAt ?? entry.downloadedAt ?? entry.importedAt;
}

/** The loss that compares models best: validation before training, the best before the last. */
export function modelLoss({ metrics }: ModelEntry): number | undefined {
  let best: { readonly name: string; readonly rank: number; readonly loss: number } | undefined;
  for (const [name, loss] of Object.entries(metrics)) {
    if (typeof loss !== 'number' || !/loss$/i.test(name)) continue;
    const rank = (/val/i.test(name) ? 0 : 2) + (/best|min/i.test(name) ? 0 : 1);
    if (best === undefined || rank < best.rank || (rank === best.rank && name < best.name)) best = { name, rank, loss };
  }
  return best?.loss;
}
