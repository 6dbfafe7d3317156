import type { ModelFolder } from '../layouts/types.ts';
import { readDocument } from './document.ts';
import { at, type Document, isObject, type Scalars, toScalars } from './scalars.ts';

export const TRAINER_STATE = 'trainer_state.json';

/**
 * What the Trainer of transformers writes next to the model it trained. Empty when the file is missing or broken: the model
 * next to it is still a model.
 */
export async function readTrainerMetrics(folder: ModelFolder): Promise<Scalars> {
  const file = folder.file(TRAINER_STATE);
  if (file === undefined) return {};
  const state: Document = await readDocument(file).catch(() => ({}));
  const history = logHistory(state);
  return toScalars([
    ['best_metric', at(state, 'best_metric')],
    ['last_epoch', at(state, 'epoch')],
    ['global_step', at(state, 'global_step')],
    ['final_train_loss', lastOf(history, 'loss')],
    ['final_val_loss', lastOf(history, 'eval_loss')],
    ['best_val_loss', leastOf(history, 'eval_loss')],
  ]);
}

/** The rows of the Trainer's log, each with the numbers of one step. */
export function logHistory(state: unknown): Document[] {
  const history = at(state, 'log_history');
  return Array.isArray(history) ? (history as unknown[]).filter(isObject) : [];
}

function lastOf(history: readonly Document[], name: string): unknown {
  return history.findLast((row) => typeof row[name] === 'number')?.[name];
}

function leastOf(history: readonly Document[], name: string): number | undefined {
  const values = history.map((row) => row[name]).filter((value) => typeof value === 'number');
  return values.length === 0 ? undefined : values.reduce((least, value) => Math.min(least, value));
}
