import { readDocument } from '../documents/document.ts';
import {
  at,
  chosenKey,
  type Document,
  isObject,
  mergeScalars,
  prefixed,
  type Scalars,
  toModelType,
  toScalars,
  toText,
} from '../documents/scalars.ts';
import { readTrainingLog } from '../documents/training-log.ts';
import { largest, modifiedAt, NO_FACTS } from './facts.ts';
import type { Layout, ModelFacts, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

const LABELS = /\.slp$/i;

/** A training run of sleap-nn: `training_config.yaml` beside Lightning checkpoints. Source: https://nn.sleap.ai (configuration). */
export const sleapNnLayout: Layout = async (folder) => {
  const configFile = folder.file('training_config.yaml') ?? folder.file('training_config.yml');
  if (configFile === undefined) return undefined;
  const config = await readDocument(configFile);
  const trainer = at(config, 'trainer_config');
  const backbone = chosenKey(at(config, 'model_config', 'backbone_config'));
  const head = chosenKey(at(config, 'model_config', 'head_configs'));
  const run = await runFacts(folder, configFile, ['best.ckpt', 'last.ckpt']);
  const facts: ModelFacts = {
    ...run.facts,
    modelType: toModelType(head) ?? 'sleap_nn',
    framework: 'sleap-nn',
    backbone: toText(backbone),
    hyperparameters: withCheckpoint(run.checkpoint.hyperparameters, [
      ['learning_rate', at(trainer, 'optimizer', 'lr')],
      ['batch_size', at(trainer, 'train_data_loader', 'batch_size')],
      ['max_epochs', at(trainer, 'max_epochs')],
      ['optimizer', at(trainer, 'optimizer_name')],
      ['input_scale', at(config, 'data_config', 'preprocessing', 'scale')],
      ...modelParameters(at(config, 'model_config', 'backbone_config'), at(config, 'model_config', 'head_configs')),
    ]),
    versions: withCheckpoint(run.checkpoint.versions, [['sleap_nn_version', at(config, 'sleap_nn_version')]]),
    runName: toText(at(trainer, 'run_name')) ?? toText(at(config, 'name')),
  };
  return { facts, leaveOut: leaveOutLabels };
};

/** A training run of SLEAP 1.x: `training_config.json` beside Keras weights. Source: https://legacy.sleap.ai (training). */
export const sleapLegacyLayout: Layout = async (folder) => {
  const configFile = folder.file('training_config.json');
  if (configFile === undefined) return undefined;
  const config = await readDocument(configFile);
  if (!isSleapConfig(config)) return undefined;
  const optimization = at(config, 'optimization');
  const run = await runFacts(folder, configFile, ['best_model.h5', 'final_model.h5', 'latest_model.h5']);
  const facts: ModelFacts = {
    ...run.facts,
    modelType: toModelType(chosenKey(at(config, 'model', 'heads'))) ?? 'sleap',
    framework: 'sleap',
    backbone: toText(chosenKey(at(config, 'model', 'backbone'))),
    hyperparameters: toScalars([
      ['learning_rate', at(optimization, 'initial_learning_rate')],
      ['batch_size', at(optimization, 'batch_size')],
      ['max_epochs', at(optimization, 'epochs')],
      ['optimizer', at(optimization, 'optimizer')],
      ['input_scale', at(config, 'data', 'preprocessing', 'input_scaling')],
      ...modelParameters(at(config, 'model', 'backbone'), at(config, 'model', 'heads')),
    ]),
    versions: toScalars([['sleap_version', at(config, 'sleap_version')]]),
    runName: toText(at(config, 'outputs', 'run_name')),
  };
  return { facts, leaveOut: leaveOutLabels };
};

function isSleapConfig(config: Document): boolean {
  return isObject(at(config, 'model', 'heads')) || at(config, 'sleap_version') !== undefined;
}

function leaveOutLabels(path: string): string | undefined {
  return LABELS.test(path) ? 'labels, which are data and not the model' : undefined;
}

/** The configuration's word counts before the checkpoint's, which says the same in other words and some things more. */
function withCheckpoint(ofCheckpoint: Scalars | undefined, ofConfig: readonly (readonly [string, unknown])[]): Scalars {
  return mergeScalars(toScalars(ofConfig), ofCheckpoint ?? {});
}

/** What both tools write beside the config: metrics, the best checkpoint, and when the run began and ended. */
async function runFacts(folder: ModelFolder, configFile: ModelFile, checkpoints: readonly string[]) {
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
function modelParameters(backbones: unknown, heads: unknown): [string, unknown][] {
  const backbone = chosenKey(backbones);
  const head = chosenKey(heads);
  const layers = head === undefined ? undefined : at(heads, head);
  return [
    ...(backbone === undefined ? [] : prefixed(`${backbone}_`, at(backbones, backbone))),
    ...(isObject(layers) ? Object.entries(layers).flatMap(([name, layer]) => prefixed(`${name}_`, layer)) : []),
  ];
}
