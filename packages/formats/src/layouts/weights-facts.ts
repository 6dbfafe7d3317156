import { mayBePickleName } from '../code/file-kinds.ts';
import { toModelType, toScalars, toText } from '../documents/scalars.ts';
import { readFileMetadata } from '../formats.ts';
import { readCheckpointFacts } from '../torch/checkpoint-facts.ts';
import type { MetadataValues, ReadOptions } from '../types.ts';
import { readKnownFile } from './known-files.ts';
import { isLoraFile } from './lora.ts';
import type { ModelFile, WeightsFacts } from './types.ts';
import { weightsType } from './weights-files.ts';

/** The facts in a safetensors or GGUF file's metadata, or in a torch checkpoint; for any other file, its type by its extension. */
export async function readWeightsFacts(file: ModelFile, options: ReadOptions): Promise<WeightsFacts> {
  const metadata = await readFileMetadata(file);
  if (metadata?.format === 'gguf') return ggufFacts(metadata.values);
  if (metadata?.format === 'safetensors') return await safetensorsFacts(file, metadata.values);
  const known = await readKnownFile(file, options);
  return known ?? { modelType: weightsType(file.path), ...(await readTrainingFacts(file, options)) };
}

/** What a torch checkpoint says about its training; nothing for any other file. */
export async function readTrainingFacts(
  file: ModelFile,
  options: ReadOptions,
): Promise<Pick<WeightsFacts, 'metrics' | 'hyperparameters' | 'versions' | 'bestPath'>> {
  const facts = mayBePickleName(file.path) ? await readCheckpointFacts(file, options) : undefined;
  if (facts === undefined) return {};
  const { metrics, hyperparameters, versions, bestPath } = facts;
  return {
    metrics: toScalars(metrics),
    hyperparameters: toScalars(hyperparameters),
    versions: toScalars(versions),
    bestPath,
  };
}

/** Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, section on standardized keys. */
function ggufFacts(values: MetadataValues): WeightsFacts {
  const architecture = values.get('general.architecture');
  const base = toText(values.get('general.base_model.0.name'));
  return {
    modelType: values.get('general.type') === 'adapter' ? 'lora' : (toModelType(architecture) ?? 'gguf'),
    hyperparameters: toScalars([
      ['file_type', values.get('general.file_type')],
      ['size_label', values.get('general.size_label')],
      ...['context_length', 'embedding_length', 'block_count', 'attention.head_count'].map(
        (name) => [name, values.get(`${String(architecture)}.${name}`)] as const,
      ),
    ]),
    versions: toScalars([['quantization_version', values.get('general.quantization_version')]]),
    license: toText(values.get('general.license')),
    lineage: base === undefined ? undefined : { fineTunedFrom: base },
    title: toText(values.get('general.name')),
  };
}

/** What trainers write into `__metadata__`, always as text: progress, scores, and the settings of a LoRA. */
const METRIC = /(^|_)(loss|epoch|steps?|acc|accuracy|score)$|^best_/;
const HYPERPARAMETER =
  /^ss_(network_dim|network_alpha|learning_rate|unet_lr|optimizer|max_train_steps|resolution|seed)$/;

function numbersOf(values: MetadataValues): [string, number][] {
  return [...values]
    .filter(([, value]) => value !== '' && Number.isFinite(Number(value)))
    .map(([name, value]) => [name.replace(/^ss_/, ''), Number(value)]);
}

async function safetensorsFacts(file: ModelFile, values: MetadataValues): Promise<WeightsFacts> {
  const isLora = await isLoraFile(file, values);
  const base =
    toText(values.get('fine_tuned_from')) ??
    toText(values.get('base_model')) ??
    (isLora ? (toText(values.get('ss_sd_model_name')) ?? toText(values.get('ss_base_model_version'))) : undefined);
  return {
    modelType: isLora ? 'lora' : (toModelType(values.get('modelspec.architecture')) ?? 'safetensors'),
    framework: isLora ? 'lora' : undefined,
    metrics: toScalars(numbersOf(values).filter(([name]) => METRIC.test(name))),
    hyperparameters: toScalars(
      [...values]
        .filter(([name]) => HYPERPARAMETER.test(name))
        .map(([name, value]) => [name.replace(/^ss_/, ''), value]),
    ),
    license: toText(values.get('license')) ?? toText(values.get('modelspec.license')),
    runName: toText(values.get('modelspec.title')) ?? toText(values.get('ss_output_name')),
    lineage: base === undefined ? undefined : { fineTunedFrom: base },
  };
}
