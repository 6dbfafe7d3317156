import type { ModelFile } from '../layouts/types.ts';
import { readDocument, readText } from './document.ts';
import { type Document, isObject, type Scalars, toScalars } from './scalars.ts';
import { MAX_LOG_BYTES, parseRows, type Row } from './training-log.ts';

/** How deep the settings of a run are nested that people compare runs by. */
const MAX_DEPTH = 3;

/** A file that a run may do without: empty when it is missing or broken, since the weights beside it are still a model. */
export async function readIfThere(file: ModelFile | undefined): Promise<Document> {
  return file === undefined ? {} : await readDocument(file).catch(() => ({}));
}

/** The settings in a document, those of inner ones under names joined with dots. */
export function settingsOf(document: unknown, prefix = '', depth = 1): [string, unknown][] {
  if (!isObject(document)) return [];
  return Object.entries(document).flatMap(([key, value]): [string, unknown][] => {
    if (!isObject(value)) return [[prefix + key, value]];
    return depth < MAX_DEPTH ? settingsOf(value, `${prefix}${key}.`, depth + 1) : [];
  });
}

/** The rows of a table that a logger writes; none when it is missing or no table. */
export async function readRows(file: ModelFile | undefined): Promise<Row[]> {
  return file === undefined ? [] : await parseRows(await readText(file, MAX_LOG_BYTES));
}

/** A number of a row; undefined where the row has none under that name. */
export function numberIn(row: Row | undefined, name: string): number | undefined {
  const text = row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;
  const number = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The row with the highest number in the first column that has any; undefined when none has. */
export function bestBy(rows: readonly Row[], columns: readonly string[]): Row | undefined {
  const column = columns.find((name) => rows.some((row) => numberIn(row, name) !== undefined));
  if (column === undefined) return undefined;
  return rows.reduce<Row | undefined>((best, row) => {
    const [number, highest] = [numberIn(row, column), numberIn(best, column)];
    return number !== undefined && (highest === undefined || number > highest) ? row : best;
  }, undefined);
}

/** The numbers of a row under the names that the entry has for its columns. */
export function numbersIn(row: Row | undefined, names: readonly (readonly [column: string, name: string])[]): Scalars {
  return toScalars(names.map(([column, name]) => [name, numberIn(row, column)] as const));
}
