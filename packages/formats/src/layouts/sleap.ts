import { readDocument } from '../documents/document.ts';
import { at, chosenKey, type Document, isObject, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { leaveOutLabels, modelParameters, runFacts } from './sleap-run.ts';
import type { Layout, ModelFacts } from './types.ts';

/** A training run of SLEAP 1.x: `training_config.json` and Keras weights. Source: https://legacy.sleap.ai (training). */
export const sleap: Layout = {
  async recognise(folder) {
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
  },
};

function isSleapConfig(config: Document): boolean {
  return isObject(at(config, 'model', 'heads')) || at(config, 'sleap_version') !== undefined;
}
