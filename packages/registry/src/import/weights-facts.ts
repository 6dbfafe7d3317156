import { type FileMetadata, readFileMetadata } from '@model-rtc/formats';
import { openSourceFile } from '../hash/source-file.ts';
import { readCheckpointFacts } from '../inspect/checkpoint-facts.ts';
import { mayBePickleName } from '../inspect/file-kinds.ts';
import { type Scalars, toModelType, toScalars, toText } from './scalars.ts';
import type { ModelFacts, ScannedFile } from './scanned-model.ts';
import { weightsType } from './weights.ts';

/** What the header of a weights file tells. */
export interface WeightsFacts {
  readonly modelType?: string | undefined;
  readonly metrics?: Scalars | undefined;
  readonly hyperparameters?: Scalars | undefined;
  readonly versions?: Scalars | undefined;
  readonly license?: string | undefined;
  readonly lineage?: ModelFacts['lineage'] | undefined;
  readonly runName?: string | undefined;
}

/** The facts of a safetensors or GGUF file's metadata, or of a torch checkpoint; of any other file, its type by its extension. */
export async function readWeightsFacts(file: ScannedFile): Promise<WeightsFacts> {
  const metadata = await readMetadata(file);
  if (metadata?.format === 'gguf') return ggufFacts(metadata.values);
  if (metadata?.format === 'safetensors') return safetensorsFacts(metadata.values);
  return { modelType: weightsType(file.path), ...(await readTrainingFacts(file)) };
}

/** What a torch checkpoint tells of its training; nothing for any other file. */
export async function readTrainingFacts(
  file: ScannedFile,
): Promise<Pick<WeightsFacts, 'metrics' | 'hyperparameters' | 'versions'>> {
  if (!mayBePickleName(file.path)) return {};
  const source = await openSourceFile(file);
  try {
    const facts = await readCheckpointFacts(source);
    if (facts === undefined) return {};
    const { metrics, hyperparameters, versions } = facts;
    return {
      metrics: toScalars(metrics),
      hyperparameters: toScalars(hyperparameters),
      versions: toScalars(versions),
    };
  } finally {
    await source.close();
  }
}

/** Whether the content of a file shows that it holds tensors, whatever its name. */
export async function holdsTensors(file: ScannedFile): Promise<boolean> {
  return (await readMetadata(file)) !== undefined;
}

async function readMetadata(file: ScannedFile): Promise<FileMetadata | undefined> {
  const source = await openSourceFile(file);
  try {
    return await readFileMetadata(source);
  } finally {
    await source.close();
  }
}

/** Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, section on standardized keys. */
function ggufFacts(values: FileMetadata['values']): WeightsFacts {
  const architecture = values.get('general.architecture');
  const base = toText(values.get('general.base_model.0.name'));
  return {
    modelType: toModelType(architecture) ?? 'gguf',
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
    runName: toText(values.get('general.name')),
  };
}

/** What trainers write into `__metadata__`, all of it as texts: how far and how good, and what a LoRA was trained with. */
const METRIC = /(^|_)(loss|epoch|steps?|acc|accuracy|score)$|^best_/;
const HYPERPARAMETER =
  /^ss_(network_dim|network_alpha|learning_rate|unet_lr|optimizer|max_train_steps|resolution|seed)$/;

function numbersOf(values: FileMetadata['values']): [string, number][] {
  return [...values]
    .filter(([, value]) => value !== '' && Number.isFinite(Number(value)))
    .map(([name, value]) => [name.replace(/^ss_/, ''), Number(value)]);
}

function safetensorsFacts(values: FileMetadata['values']): WeightsFacts {
  const base = toText(values.get('fine_tuned_from')) ?? toText(values.get('base_model'));
  return {
    modelType: toModelType(values.get('modelspec.architecture')) ?? 'safetensors',
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
