import { readModelCard } from '../documents/model-card.ts';
import type { ReadOptions } from '../types.ts';
import { chooseCheckpoint } from './checkpoint-choice.ts';
import { NO_FACTS } from './facts.ts';
import type { Layout, ModelFacts, ModelFile } from './types.ts';
import { readWeightsFacts } from './weights-facts.ts';

/** A folder of weights without a configuration. */
export const weights: Layout = {
  name: 'weights',
  async recognise(folder) {
    const checkpoint = chooseCheckpoint(folder.weights);
    if (checkpoint === undefined) return undefined;
    const facts = await weightsFileFacts(checkpoint, folder);
    const card = await readModelCard(folder);
    return { facts: { ...facts, license: card.license ?? facts.license, lineage: card.lineage ?? facts.lineage } };
  },
};

/** The facts of a model that is one weights file. */
export async function weightsFileFacts(file: ModelFile, options: ReadOptions): Promise<ModelFacts> {
  const { modelType, metrics, hyperparameters, versions, ...rest } = await readWeightsFacts(file, options);
  return {
    ...NO_FACTS,
    ...rest,
    modelType: modelType ?? 'file',
    framework: 'file',
    metrics: metrics ?? {},
    hyperparameters: hyperparameters ?? {},
    versions: versions ?? {},
    checkpointPath: file.path,
  };
}
