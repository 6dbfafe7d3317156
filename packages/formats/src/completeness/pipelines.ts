import { at, isObject } from '../documents/scalars.ts';
import { baseName } from '../file-names.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';
import { besideFile, folderOf, missing } from './folders.ts';
import { readJson } from './read-json.ts';
import type { CheckedFile, CheckedFiles, Flaw, NamingFile, SetCheck } from './types.ts';

const MAX_BYTES = 1024 * 1024;
/** Modules of sentence-transformers without settings: their folders are empty, and a download does not bring them. */
const WITHOUT_FILES = /\.(Normalize|Dropout|LayerNorm)$/;

/** Models of several parts, each in a folder: pipelines of diffusers, and sentence-transformers. */
export const pipelines: readonly NamingFile[] = [
  { matches: (path) => baseName(path) === 'model_index.json', check: checkParts },
  { matches: (path) => baseName(path) === 'modules.json', check: checkModules },
];

/** Each part has its library and class; one that is left out has null for both. Source: diffusers `DiffusionPipeline`. */
async function checkParts(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const index = await readJson(file, MAX_BYTES);
  if (!isObject(index)) return [];
  const parts = Object.entries(index).filter(
    ([name, value]) =>
      !name.startsWith('_') &&
      Array.isArray(value) &&
      value.length === 2 &&
      value.every((word) => typeof word === 'string'),
  );
  return parts.flatMap(([name]): Flaw[] => {
    const path = besideFile(file.path, name);
    if (path === undefined) return [];
    if (!model.hasFolder(path)) return [missing(`${path}/`, `${file.path} names it as a part`)];
    const inside = model.files.filter((one) => one.path.startsWith(`${path}/`));
    // Parts with weights have this file; schedulers, tokenizers and processors have others.
    const needsWeights = inside.some((one) => one.path === `${path}/config.json`);
    if (!needsWeights || inside.some((one) => isWeightsFile(one.path))) return [];
    return [missing(`${path}/`, `${file.path} names it as a part, and its weights are not in it`)];
  });
}

/** Source: sentence_transformers `SentenceTransformer._load_sbert_model`. */
async function checkModules(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const modules = await readJson(file, MAX_BYTES);
  if (!Array.isArray(modules)) return [];
  return modules.flatMap((module: unknown): Flaw[] => {
    const [path, type] = [at(module, 'path'), at(module, 'type')];
    if (typeof path !== 'string' || path === '' || (typeof type === 'string' && WITHOUT_FILES.test(type))) return [];
    const folder = besideFile(file.path, path);
    if (folder === undefined || model.hasFolder(folder)) return [];
    return [missing(`${folder}/`, `${file.path} names it as a module`)];
  });
}

const FOLD_CHECKPOINT = /^(?:.*\/)?fold_(?:\d+|all)\/checkpoint_(?:final|best|latest)\.pth$/;
const PLANS = ['plans.json', 'dataset.json'] as const;

/** nnU-Net: the folds are of no use without the plans and the data set's description above them. */
export const nnunet: SetCheck = async ({ files, file }) => {
  const inFolds = files.filter(({ path }) => FOLD_CHECKPOINT.test(path));
  const trainers = new Set(inFolds.map(({ path }) => folderOf(folderOf(path).slice(0, -1))));
  return [...trainers].flatMap((folder) =>
    PLANS.filter((name) => file(`${folder}${name}`) === undefined).map((name) =>
      missing(`${folder}${name}`, 'nnU-Net reads it before the folds. Import the folder that holds both'),
    ),
  );
};
