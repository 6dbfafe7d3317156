import { at, chosenKey, isObject, mergeScalars, prefixed, type Scalars } from '../documents/scalars.ts';
import { readTrainingLog } from '../documents/training-log.ts';
import { largest, modifiedAt, NO_FACTS } from './facts.ts';
import type { ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

const LABELS = /\.slp$/i;

export function leaveOutLabels(path: string): string | undefined {
  return LABELS.test(path) ? 'labels, which are training data' : undefined;
}

/** What both tools write next to the configuration: metrics, the best checkpoint, and the times of start and end. */
export async function runFacts(folder: ModelFolder, configFile: ModelFile, checkpoints: readonly string[]) {
  const log = folder.file('training_log.csv');
  const ofLog: Scalars = log === undefined ? {} : await readTrainingLog(log);
  const known = checkpoints.map((path) => folder.file(path)).find((file) => file !== undefined);
  const checkpoint = known ?? largest(folder.weights);
  const ofCheckpoint = checkpoint === undefined ? {} : await readTrainingFacts(checkpoint, folder);
  const initial = folder.file('initial_config.yaml') ?? folder.file('initial_config.json');
  const startedAt = modifiedAt(initial ?? configFile);
  const completedAt = modifiedAt(checkpoint);
  const facts = {
    ...NO_FACTS,
    metrics: mergeScalars(ofLog, ofCheckpoint.metrics ?? {}),
    checkpointPath: checkpoint?.path,
    configPath: configFile.path,
    createdAt:
      startedAt !== undefined && completedAt !== undefined && startedAt > completedAt ? completedAt : startedAt,
    completedAt,
  };
  return { facts, checkpoint: ofCheckpoint };
}

/** The parameters of the chosen backbone and of the chosen head's layers: `unet_filters`, `confmaps_sigma`. */
export function modelParameters(backbones: unknown, heads: unknown): [string, unknown][] {
  const backbone = chosenKey(backbones);
  const head = chosenKey(heads);
  const layers = head === undefined ? undefined : at(heads, head);
  return [
    ...(backbone === undefined ? [] : prefixed(`${backbone}_`, at(backbones, backbone))),
    ...(isObject(layers) ? Object.entries(layers).flatMap(([name, layer]) => prefixed(`${name}_`, layer)) : []),
  ];
}
