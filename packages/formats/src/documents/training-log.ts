import type { ModelFile } from '../layouts/types.ts';
import { readText } from './document.ts';
import { type Scalars, toScalars } from './scalars.ts';

/** A row takes about 100 bytes, so this is far more epochs than anyone trains. */
export const MAX_LOG_BYTES = 8 * 1024 * 1024;

const TRAIN_LOSS = ['train_loss', 'train/loss', 'loss'];
const VAL_LOSS = ['val_loss', 'val/loss', 'valid_loss'];

/**
 * What a `training_log.csv` says: the losses of the best epoch (by validation data, else by training data), the last
 * epoch and its losses. Empty when the file is not such a table. Skips a half-written last row, since
 * the run may still be writing.
 */
export async function readTrainingLog(file: ModelFile): Promise<Scalars> {
  const rows = await parseRows(await readText(file, MAX_LOG_BYTES));
  const last = rows.at(-1);
  if (last === undefined) return {};
  const best = bestRow(rows, VAL_LOSS) ?? bestRow(rows, TRAIN_LOSS);
  return toScalars([
    ['best_val_loss', best && column(best, VAL_LOSS)],
    ['best_train_loss', best && column(best, TRAIN_LOSS)],
    ['best_epoch', best && column(best, ['epoch'])],
    ['last_epoch', column(last, ['epoch'])],
    ['final_train_loss', column(last, TRAIN_LOSS)],
    ['final_val_loss', column(last, VAL_LOSS)],
  ]);
}

/** One line of a log, by the columns' names in lower case. */
export type Row = Readonly<Record<string, string>>;

/** The complete lines of a log; none when it is not a table. The parser is loaded for the first one, as that of YAML is. */
export async function parseRows(text: string): Promise<Row[]> {
  const { parse } = await import('csv-parse/browser/esm/sync');
  try {
    const lines: string[][] = parse(text, {
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    });
    const [names, ...rows] = lines;
    if (names === undefined) return [];
    return rows
      .filter((cells) => cells.length >= names.length)
      .map((cells) => Object.fromEntries(names.map((name, i) => [name.toLowerCase(), cells[i] ?? ''])));
  } catch {
    // Whatever is wrong with a log, the model beside it is still a model.
    return [];
  }
}

function column(row: Row, names: readonly string[]): number | undefined {
  for (const name of names) {
    const text = Object.hasOwn(row, name) ? row[name] : undefined;
    const number = text === undefined || text === '' ? Number.NaN : Number(text);
    if (Number.isFinite(number)) return number;
  }
  return undefined;
}

/** The row with the lowest value in a column; the first of equals. */
function bestRow(rows: readonly Row[], names: readonly string[]): Row | undefined {
  let best: { readonly row: Row; readonly loss: number } | undefined;
  for (const row of rows) {
    const loss = column(row, names);
    if (loss !== undefined && (best === undefined || loss < best.loss)) best = { row, loss };
  }
  return best?.row;
}
