import { readHead } from '../bytes/byte-readers.ts';
import type { NamedReader } from '../types.ts';
import { logHistory, TRAINER_STATE } from './trainer-state.ts';
import { MAX_LOG_BYTES, parseRows, type Row } from './training-log.ts';

/** One column of a training log over its rows; null where a row has no number. */
export interface TrainingCurve {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Logs of SLEAP and sleap-nn, of Lightning's CSVLogger, and of the Trainer of transformers; the first one found counts. */
const LOGS = ['training_log.csv', 'metrics.csv', TRAINER_STATE] as const;
const LOSS = /loss/i;
/** Curves of one log; a model with many heads has some ten. */
const MAX_CURVES = 32;

/** The loss columns of a model's training log, in the order of its rows. */
export async function readTrainingCurves(files: readonly NamedReader[]): Promise<TrainingCurve[]> {
  for (const name of LOGS) {
    const file = shallowest(files.filter(({ path }) => path === name || path.endsWith(`/${name}`)));
    if (file === undefined) continue;
    const text = await readText(file);
    const curves = name === TRAINER_STATE ? curvesOfTrainer(text) : curvesOf(await parseRows(text));
    if (curves.length > 0) return curves;
  }
  return [];
}

function shallowest(files: readonly NamedReader[]): NamedReader | undefined {
  return [...files].sort((a, b) => a.path.split('/').length - b.path.split('/').length)[0];
}

async function readText(reader: NamedReader): Promise<string> {
  return new TextDecoder().decode(await readHead(reader, MAX_LOG_BYTES));
}

function curvesOfTrainer(text: string): TrainingCurve[] {
  try {
    return curvesOf(logHistory(JSON.parse(text)));
  } catch {
    // Cut short, or written by something else: then the model has no curves.
    return [];
  }
}

function curvesOf(rows: readonly (Row | Readonly<Record<string, unknown>>)[]): TrainingCurve[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)).filter((name) => LOSS.test(name)));
  return [...names]
    .slice(0, MAX_CURVES)
    .map((name) => ({ name, values: rows.map((row) => numberOf(row, name)) }))
    .filter(({ values }) => values.some((value) => value !== null));
}

function numberOf(row: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = Object.hasOwn(row, name) ? row[name] : undefined;
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
