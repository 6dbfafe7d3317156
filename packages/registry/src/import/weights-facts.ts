import { type FileMetadata, readFileMetadata } from '@model-rtc/protocol';
import { type Scalars, toModelType, toScalars, toText } from './scalars.ts';
import type { ModelFacts, ScannedFile } from './scanned-model.ts';
import { openSourceFile } from './source-file.ts';
import { weightsType } from './weights.ts';

/** What the header of a weights file tells. */
export interface WeightsFacts {
  readonly modelType?: string | undefined;
  readonly hyperparameters?: Scalars | undefined;
  readonly versions?: Scalars | undefined;
  readonly license?: string | undefined;
  readonly lineage?: ModelFacts['lineage'] | undefined;
  readonly runName?: string | undefined;
}

/** The facts of a safetensors or GGUF file's metadata; of any other file, its type by its extension. */
export async function readWeightsFacts(file: ScannedFile): Promise<WeightsFacts> {
  const metadata = await readMetadata(file);
  if (metadata?.format === 'gguf') return ggufFacts(metadata.values);
  if (metadata?.format === 'safetensors') return safetensorsFacts(metadata.values);
  return { modelType: weightsType(file.path) };
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

function safetensorsFacts(values: FileMetadata['values']): WeightsFacts {
  const base = toText(values.get('fine_tuned_from')) ?? toText(values.get('base_model'));
  return {
    modelType: 'safetensors',
    license: toText(values.get('license')),
    lineage: base === undefined ? undefined : { fineTunedFrom: base },
  };
}
