import { readDocument } from '../documents/document.ts';
import { at, chosenKey, mergeScalars, type Scalars, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { leaveOutLabels, modelParameters, runFacts } from './sleap-run.ts';
import type { Layout, ModelFacts } from './types.ts';

/** A training run of sleap-nn: `training_config.yaml` and Lightning checkpoints. Source: https://nn.sleap.ai (configuration). */
export const sleapNn: Layout = {
  async recognise(folder) {
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
  },
};

/** The configuration wins over the checkpoint, which repeats it under other names and adds some things. */
function withCheckpoint(ofCheckpoint: Scalars | undefined, ofConfig: readonly (readonly [string, unknown])[]): Scalars {
  return mergeScalars(toScalars(ofConfig), ofCheckpoint ?? {});
}
