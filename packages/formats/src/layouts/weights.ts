import { readModelCard } from '../documents/model-card.ts';
import { toModelType } from '../documents/scalars.ts';
import type { ReadOptions } from '../types.ts';
import { chooseCheckpoint } from './checkpoint-choice.ts';
import { NO_FACTS } from './facts.ts';
import { ggufName } from './gguf-name.ts';
import type { Layout, ModelFacts, ModelFile, WeightsFacts } from './types.ts';
import { readWeightsFacts } from './weights-facts.ts';

/** The part of a language model that looks at pictures or hears goes with it. */
const PROJECTOR = /mmproj[^/]*\.gguf$/i;

/** A folder of weights without a configuration. */
export const weights: Layout = {
  async recognise(folder) {
    const models = folder.weights.filter(({ path }) => !PROJECTOR.test(path));
    const checkpoint = chooseCheckpoint(models.length > 0 ? models : folder.weights);
    if (checkpoint === undefined) return undefined;
    const facts = await weightsFileFacts(checkpoint, folder);
    const card = await readModelCard(folder);
    const { license = facts.license, lineage = facts.lineage, library } = card;
    // A pickle tells nothing when it is compressed in a way that is not read here.
    const modelType = facts.modelType === 'pickle' ? (toModelType(library) ?? 'pickle') : facts.modelType;
    const runName = facts.runName ?? ggufName(checkpoint, folder.weights);
    return { facts: { ...facts, modelType, runName, license, lineage } };
  },
};

/** The facts of a model that is one weights file. */
export async function weightsFileFacts(file: ModelFile, options: ReadOptions): Promise<ModelFacts> {
  return toFacts(await readWeightsFacts(file, options), file);
}

/** The facts of a model by those of the file that stands for it. */
export function toFacts(ofFile: WeightsFacts, file: ModelFile): ModelFacts {
  const { modelType, framework, metrics, hyperparameters, versions, bestPath: _, ...rest } = ofFile;
  return {
    ...NO_FACTS,
    ...rest,
    modelType: modelType ?? 'file',
    framework: framework ?? 'file',
    metrics: metrics ?? {},
    hyperparameters: hyperparameters ?? {},
    versions: versions ?? {},
    checkpointPath: file.path,
  };
}
