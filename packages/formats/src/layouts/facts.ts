import type { ModelFacts, ModelFile } from './types.ts';

/** The facts of a model whose layout tells nothing. */
export const NO_FACTS = { metrics: {}, hyperparameters: {}, versions: {}, status: 'completed' } as const;

/** What a layout tells of a model that one file stands for. */
export function factsOf(checkpoint: ModelFile, known: Partial<ModelFacts> & Pick<ModelFacts, 'modelType'>): ModelFacts {
  return { ...NO_FACTS, checkpointPath: checkpoint.path, completedAt: modifiedAt(checkpoint), ...known };
}

/** The last time whose ISO 8601 text has a year of four digits. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31);

/** The time of a file's last change as an entry holds it; undefined for a time that no clock showed. */
export function modifiedAt(file: ModelFile | undefined): string | undefined {
  const timeMs = file?.modifiedAtMs ?? 0;
  return timeMs > 0 && timeMs < LAST_TIME_MS ? new Date(timeMs).toISOString() : undefined;
}

/** The largest of some files, the first of equals. */
export function largest(files: readonly ModelFile[]): ModelFile | undefined {
  return files.reduce<ModelFile | undefined>((best, file) => (best && best.size >= file.size ? best : file), undefined);
}
