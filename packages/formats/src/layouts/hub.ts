import { readDocument } from '../documents/document.ts';
import { readModelCard } from '../documents/model-card.ts';
import { at, type Document, mergeScalars, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { readTrainerMetrics } from '../documents/trainer-state.ts';
import { largest, NO_FACTS } from './facts.ts';
import type { Layout, ModelFacts, ModelFile, ModelFolder } from './types.ts';
import { readWeightsFacts } from './weights-facts.ts';

/** The settings that people compare models by, under the names that hub configurations use. */
const HYPERPARAMETERS = [
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'vocab_size',
  'max_position_embeddings',
  'torch_dtype',
  'dtype',
  'image_size',
  'r',
  'lora_alpha',
] as const;

/** Where a trainer keeps checkpoints to resume from, each as large as the model. */
const TRAINER_CHECKPOINT = /^checkpoint-\d+\//;

/**
 * A repository of a model hub: weights and a configuration. The configuration is `config.json`, for a pipeline of
 * models `model_index.json`, for an adapter `adapter_config.json`.
 */
export const hub: Layout = {
  name: 'hub',
  async recognise(folder) {
    const configFile = ['config.json', 'model_index.json', 'adapter_config.json']
      .map((path) => folder.file(path))
      .find((file) => file !== undefined);
    if (configFile === undefined) return undefined;
    const config = await readDocument(configFile);
    const checkpoint = mainWeights(folder);
    const ofWeights = checkpoint === undefined ? {} : await readWeightsFacts(checkpoint, folder);
    const card = await readModelCard(folder);
    const facts: ModelFacts = {
      ...NO_FACTS,
      metrics: mergeScalars(await readTrainerMetrics(folder), ofWeights.metrics ?? {}),
      modelType: typeOf(config) ?? ofWeights.modelType ?? 'hub',
      framework: 'hub',
      backbone: backboneOf(config),
      hyperparameters: toScalars(HYPERPARAMETERS.map((name) => [name, at(config, name)] as const)),
      versions: toScalars(
        ['transformers_version', '_diffusers_version', 'peft_version'].map((name) => [
          name.replace(/^_/, ''),
          at(config, name),
        ]),
      ),
      license: card.license ?? ofWeights.license,
      lineage: card.lineage ?? ofWeights.lineage ?? adapterLineage(config),
      checkpointPath: checkpoint?.path,
      configPath: configFile.path,
    };
    return {
      facts,
      leaveOut: (path) => (TRAINER_CHECKPOINT.test(path) ? 'a checkpoint to resume training from' : undefined),
    };
  },
};

function typeOf(config: Document): string | undefined {
  return (
    toModelType(at(config, 'model_type')) ??
    toModelType(at(config, '_class_name')) ??
    toModelType(at(config, 'peft_type'))
  );
}

function backboneOf(config: Document): string | undefined {
  const architectures = at(config, 'architectures');
  return toText(Array.isArray(architectures) ? (architectures as unknown[])[0] : undefined);
}

function adapterLineage(config: Document): ModelFacts['lineage'] {
  const base = toText(at(config, 'base_model_name_or_path'));
  return base === undefined ? undefined : { fineTunedFrom: base };
}

/** The weights: next to the configuration rather than in folders, and the first of several shards. */
function mainWeights(folder: ModelFolder): ModelFile | undefined {
  const top = folder.weights.filter((file) => !file.path.includes('/') && !TRAINER_CHECKPOINT.test(file.path));
  const shard = top.find((file) => /-0*1-of-\d+\.[a-z]+$/i.test(file.path));
  return shard ?? largest(top) ?? largest(folder.weights.filter((file) => !TRAINER_CHECKPOINT.test(file.path)));
}
