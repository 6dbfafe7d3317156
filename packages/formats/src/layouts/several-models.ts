import { ModelRtcError } from '@model-rtc/protocol';
import { numberedPart } from '../completeness/numbered-parts.ts';
import { baseName, extensionOf } from '../file-names.ts';
import { isWeightsFile } from './weights-files.ts';

/** In these formats every file is a model, unless it is one part of several. */
const ONE_EACH = new Set(['.gguf', '.safetensors']);
/** The part of a language model that looks at pictures goes with it. */
const PROJECTOR = /mmproj/i;
/** What makes a folder one model, whatever is in it. */
const OF_ONE_MODEL =
  /^(training_config\.(ya?ml|json)|config\.json|model_index\.json|adapter_config\.json|modules\.json|saved_model\.pb|MLmodel|args\.yaml|hparams\.yaml|plans\.json|latest|Manifest\.json|coremldata\.bin|pytorch_config\.yaml|.*\.index|.*\.xml)$/;
/** Folders that are a part of the model that they are in. */
const INNER =
  /^(\.hydra|checkpoints?|weights|variables|train|fold_(\d+|all)|global_step\d+|pytorch_model_fsdp_\d+|onnx|original|unet|vae|\d+_[A-Z]\w*)$/;
const MAX_LISTED = 100;

/**
 * The models of a folder that holds several, which nobody would want as one: paths of files and folders in it. Empty for a
 * folder that is one model, or none.
 */
export function severalModels(paths: readonly string[]): string[] {
  const found = modelsIn('', paths);
  return found.length > 1 ? found : [];
}

/**
 * The folder that is the model when a folder holds nothing else, such as the one version of a model of TensorFlow Serving.
 * Undefined for a folder that is a model itself, or holds other files.
 */
export function innerModel(paths: readonly string[]): string | undefined {
  const [only, ...others] = modelsIn('', paths);
  if (only === undefined || only === '' || others.length > 0) return undefined;
  return paths.every((path) => path.startsWith(`${only}/`)) ? only : undefined;
}

function modelsIn(folder: string, paths: readonly string[]): string[] {
  const inside = paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
  if (!inside.some(isWeightsFile)) return [];
  const names = inside.filter((path) => !path.includes('/'));
  const folders = [
    ...new Set(inside.filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/')))),
  ];
  const here = [folder.slice(0, -1)];
  if (names.some((name) => OF_ONE_MODEL.test(name)) || folders.some((name) => INNER.test(name))) return here;
  const direct = names.filter(isWeightsFile);
  if (direct.length > 0) {
    const singles = singleModels(direct);
    return singles.length > 1 ? singles.map((name) => folder + name) : here;
  }
  return folders.flatMap((name) => modelsIn(`${folder}${name}/`, paths));
}

/** The first file of each model, where each file of a format is one. */
function singleModels(names: readonly string[]): string[] {
  if (!names.every((name) => ONE_EACH.has(extensionOf(name)))) return [];
  const first = new Map<string, string>();
  for (const name of [...names].sort()) {
    const key = numberedPart(name)?.set ?? name;
    if (!PROJECTOR.test(name) && !first.has(key)) first.set(key, name);
  }
  return [...first.values()];
}

/** The error that lists them. */
export function severalModelsError(location: string, found: readonly string[]): ModelRtcError {
  const models = found
    .slice(0, MAX_LISTED)
    .map((path) => ({ path, name: baseName(path).replace(/\.(gguf|safetensors)$/, '') }));
  const listed = models.slice(0, 5).map(({ path }) => JSON.stringify(path));
  const sentence = `${location} holds several models (${listed.join(', ')}${found.length > 5 ? ', ...' : ''}). Import one of them, or all as one with --as-one.`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: location, models } });
}
