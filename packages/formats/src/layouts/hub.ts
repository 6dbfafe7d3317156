import { readDocument } from '../documents/document.ts';
import { readModelCard } from '../documents/model-card.ts';
import { at, type Document, mergeScalars, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { readTrainerMetrics } from '../documents/trainer-state.ts';
import { baseName, extensionOf } from '../file-names.ts';
import { readFileMetadata } from '../formats.ts';
import { largest, NO_FACTS } from './facts.ts';
import { ggufName } from './gguf-name.ts';
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
  'task_type',
  'r',
  'lora_alpha',
] as const;
const QUANTIZATION = ['quant_method', 'bits', 'group_size'] as const;

/** Where the Trainer has DeepSpeed save; the whole weights are beside it, unless only stage 3 has them. */
const STATES_OF_DEEPSPEED = /^(global_step\d+\/.*_states\.pt|latest|zero_to_fp32\.py)$/;
/** Where a trainer keeps checkpoints to resume from, each as large as the model. */
const TRAINER_CHECKPOINT = /^checkpoint-\d+\//;
/** Adapters as peft and mlx_lm write them. */
const ADAPTER = /^adapter_model(-\d+-of-\d+)?\.(safetensors|bin)$|^adapters\.(safetensors|npz)$/;
/** The part of a language model that looks at pictures goes with it. */
const PROJECTOR = /mmproj/i;

/** A repository of a model hub: weights and a configuration. The configuration is `config.json`, for an adapter `adapter_config.json`. */
export const hub: Layout = {
  async recognise(folder) {
    const configFile = configOf(folder);
    if (configFile === undefined) return undefined;
    const config = await readDocument(configFile);
    const checkpoint = mainWeights(folder, configFile);
    const ofWeights = checkpoint === undefined ? {} : await readWeightsFacts(checkpoint, folder);
    const card = await readModelCard(folder);
    const facts: ModelFacts = {
      ...NO_FACTS,
      metrics: mergeScalars(await readTrainerMetrics(folder), ofWeights.metrics ?? {}),
      modelType: typeOf(config) ?? ofWeights.modelType ?? 'hub',
      framework: await frameworkOf(folder, configFile, checkpoint),
      backbone: backboneOf(config),
      hyperparameters: toScalars([
        ...HYPERPARAMETERS.map((name) => [name, at(config, name)] as const),
        ...quantizationOf(config),
      ]),
      versions: toScalars(['transformers_version', 'peft_version'].map((name) => [name, at(config, name)])),
      license: card.license ?? ofWeights.license,
      lineage: adapterLineage(config) ?? card.lineage ?? ofWeights.lineage,
      runName: checkpoint === undefined ? undefined : ggufName(checkpoint, folder.weights),
      checkpointPath: checkpoint?.path,
      configPath: configFile.path,
    };
    return {
      facts,
      leaveOut(path) {
        if (TRAINER_CHECKPOINT.test(path)) return 'a checkpoint to resume training from';
        const isWhole = checkpoint !== undefined && !checkpoint.path.includes('/');
        return isWhole && STATES_OF_DEEPSPEED.test(path)
          ? 'states of the optimizer, to resume training from'
          : undefined;
      },
    };
  },
};

/** A repository of an adapter often has the base's `config.json` too, and none of its weights. */
function configOf({ file, weights }: ModelFolder): ModelFile | undefined {
  const [adapter, model] = [file('adapter_config.json'), file('config.json')];
  const isAdapter = weights.filter(({ path }) => !path.includes('/')).every(({ path }) => ADAPTER.test(path));
  return isAdapter ? (adapter ?? model) : (model ?? adapter);
}

/** What loads it; `hub` stands for transformers. */
async function frameworkOf(folder: ModelFolder, config: ModelFile, checkpoint: ModelFile | undefined): Promise<string> {
  if (folder.file('modules.json') !== undefined) return 'sentence-transformers';
  const extension = extensionOf(checkpoint?.path ?? '');
  const isOfMlx = checkpoint !== undefined && /^adapters\./.test(baseName(checkpoint.path));
  if (isOfMlx || (extension === '.safetensors' && (await madeFor(checkpoint)) === 'mlx')) return 'mlx';
  if (config.path === 'adapter_config.json') return 'peft';
  return extension === '.onnx' ? 'onnx' : extension === '.gguf' ? 'gguf' : 'hub';
}

async function madeFor(checkpoint: ModelFile | undefined): Promise<unknown> {
  const metadata = checkpoint === undefined ? undefined : await readFileMetadata(checkpoint);
  return metadata?.values.get('format');
}

function typeOf(config: Document): string | undefined {
  return (
    toModelType(at(config, 'model_type')) ??
    toModelType(at(config, '_class_name')) ??
    toModelType(at(config, 'peft_type')) ??
    toModelType(at(config, 'fine_tune_type'))
  );
}

function backboneOf(config: Document): string | undefined {
  const architectures = at(config, 'architectures');
  return toText(Array.isArray(architectures) ? (architectures as unknown[])[0] : undefined);
}

/** MLX has `quantization`, the tools of transformers `quantization_config`. */
function quantizationOf(config: Document): [string, unknown][] {
  const settings = at(config, 'quantization_config') ?? at(config, 'quantization');
  return QUANTIZATION.map((name) => [name === 'quant_method' ? name : `quantization_${name}`, at(settings, name)]);
}

/** As peft and mlx_lm say it. */
function adapterLineage(config: Document): ModelFacts['lineage'] {
  const isOfMlx = at(config, 'fine_tune_type') !== undefined;
  const base = toText(at(config, 'base_model_name_or_path')) ?? (isOfMlx ? toText(at(config, 'model')) : undefined);
  return base === undefined ? undefined : { fineTunedFrom: base };
}

/** The weights: next to the configuration rather than in folders, and the first of several shards. */
function mainWeights(folder: ModelFolder, config: ModelFile): ModelFile | undefined {
  const weights = folder.weights.filter(({ path }) => !TRAINER_CHECKPOINT.test(path) && !PROJECTOR.test(path));
  const isOfAdapter = config.path === 'adapter_config.json';
  const top = weights.filter(({ path }) => !path.includes('/') && (!isOfAdapter || ADAPTER.test(path)));
  const shard = top.find((file) => /-0*1-of-\d+\.[a-z]+$/i.test(file.path));
  const main = top.find(({ path }) => path === 'model.safetensors');
  return shard ?? main ?? largest(top) ?? largest(weights);
}
