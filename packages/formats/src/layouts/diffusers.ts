import { readDocument } from '../documents/document.ts';
import { readModelCard } from '../documents/model-card.ts';
import { at, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { baseName } from '../file-names.ts';
import { largest, NO_FACTS } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';

/** The parts that take the noise away, as pipelines call them, in the order in which one is taken for the model. */
const DENOISERS = ['transformer', 'unet', 'prior', 'decoder', 'model'] as const;
/** A file of a variant: `model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors`. */
const VARIANT = /^[^.]+\.[a-z0-9]+(-\d+-of-\d+)?\.(safetensors|bin)$/;

/** A pipeline of diffusers: a folder for each part, and `model_index.json`. Source: huggingface.co/docs/diffusers (pipelines) */
export const diffusers: Layout = {
  async recognise(folder) {
    const index = folder.file('model_index.json');
    if (index === undefined) return undefined;
    const document = await readDocument(index);
    const { license, lineage } = await readModelCard(folder);
    const pipeline = toText(at(document, '_class_name'));
    const facts = {
      ...NO_FACTS,
      modelType: toModelType(pipeline) ?? 'diffusers',
      framework: 'diffusers',
      backbone: toText(classOf(at(document, partOf(folder)))),
      versions: toScalars([['diffusers_version', at(document, '_diffusers_version')]]),
      license,
      lineage,
      checkpointPath: mainWeights(folder)?.path,
      configPath: index.path,
    };
    return { facts };
  },
};

/** A part is named with its library and its class. */
function classOf(part: unknown): unknown {
  return Array.isArray(part) ? (part as unknown[])[1] : undefined;
}

function partOf({ weights }: ModelFolder): string {
  return DENOISERS.find((part) => weights.some(({ path }) => path.startsWith(`${part}/`))) ?? '';
}

/** Of the part that denoises, even where a text encoder is larger: the first of its files, of no variant if there is one. */
function mainWeights(folder: ModelFolder): ModelFile | undefined {
  const part = partOf(folder);
  const files = folder.weights.filter(({ path }) => part === '' || path.startsWith(`${part}/`));
  const plain = files.filter(({ path }) => !VARIANT.test(baseName(path)));
  const candidates = plain.length > 0 ? plain : files;
  return candidates.find(({ path }) => /-0*1-of-\d+\.[a-z]+$/i.test(path)) ?? largest(candidates);
}
