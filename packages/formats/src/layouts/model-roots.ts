import { numberedPart } from '../completeness/numbered-parts.ts';
import { extensionOf } from '../file-names.ts';
import { isOneOfTraining } from './checkpoint-choice.ts';
import { type FolderNames, isSure, markOf } from './marks.ts';
import { holdsWeights, isWeightsFile } from './weights-files.ts';

/** Where a model begins, in a folder of any size. */
export interface ModelRoot {
  /** Relative to the folder that was searched; empty for that folder itself. */
  readonly path: string;
  /**
   * - `run`: a training's run, by its tool's own files
   * - `model`: a model of another tool, by its tool's own files
   * - `weights`: a folder of weights that nothing tells more about
   * - `file`: one file, or the first of its parts
   */
  readonly kind: 'run' | 'model' | 'weights' | 'file';
}

/** In these formats every file is a model, unless it is one part of several. */
const ONE_EACH = new Set(['.gguf', '.keras', '.llamafile', '.mar', '.mlmodel', '.nemo', '.safetensors']);
/** In these formats several files may be one model: their names decide. */
const BY_NAME = new Set(['.ckpt', '.joblib', '.onnx', '.pickle', '.pkl', '.pt', '.pth']);
/** Networks and steps that work together. */
const PART_OF_ONE =
  /(^|[-_.])(actor|adapter|backbone|classifier|critic|decoder|discriminator|embedd?ings?|encoder|ema|features?|fold|generator|head|imputer|joiner|labels?|optim\w*|policy|post\w*|pre\w*|scaler|scheduler|state\w*|text|tokenizer|transformer|unet|vae|value|vectorizer|vision|vocab|vocoder)([-_.\d]|$)/i;
/** The part of a language model that looks at pictures goes with it. */
const PROJECTOR = /mmproj/i;

/** A state that a trainer keeps beside the model, with the model's own configuration. */
const TRAINER_CHECKPOINT = /(^|\/)checkpoint-\d+$/;

interface Tree {
  readonly files: string[];
  readonly folders: Map<string, Tree>;
  hasWeights: boolean;
}

/** The models that a folder holds, by the paths of the files in it. Empty when it holds none. */
export function modelRoots(paths: readonly string[]): ModelRoot[] {
  return rootsIn(toTree(paths), '');
}

function toTree(paths: readonly string[]): Tree {
  const root: Tree = { files: [], folders: new Map(), hasWeights: false };
  for (const path of paths) {
    const parts = path.split('/');
    const name = parts.pop() as string;
    let tree = root;
    tree.hasWeights ||= holdsWeights(name);
    for (const part of parts) {
      const next = tree.folders.get(part) ?? { files: [], folders: new Map(), hasWeights: false };
      tree.folders.set(part, next);
      next.hasWeights ||= holdsWeights(name);
      tree = next;
    }
    tree.files.push(name);
  }
  return root;
}

function rootsIn(tree: Tree, path: string): ModelRoot[] {
  if (!tree.hasWeights) return [];
  const names = namesOf(tree);
  const mark = markOf(names);
  const weights = tree.files.filter(isWeightsFile);
  if (mark !== undefined && isSure(mark, names)) return [{ path, kind: mark.kind }];
  const below = [...tree.folders].flatMap(([name, child]) => rootsIn(child, path === '' ? name : `${path}/${name}`));
  const hasRuns = below.some(({ kind }) => kind === 'run');
  if (mark !== undefined && !hasRuns) return [{ path, kind: mark.kind }];
  if (weights.length === 0) return below;
  const singles = singleModels(weights);
  const files = (names: readonly string[]) =>
    names.map((name): ModelRoot => ({ path: path === '' ? name : `${path}/${name}`, kind: 'file' }));
  // Weights that a training began with often lie beside the folder of its runs.
  if (hasRuns) return [...files(singles ?? weights), ...below];
  if (singles === undefined) return [{ path, kind: 'weights' }];
  // A whole model in a folder does not belong to a file beside it that is a model as well.
  const whole = below.filter((root) => root.kind === 'model' && !TRAINER_CHECKPOINT.test(root.path));
  const all = [...files(singles), ...whole];
  return all.length > 1 ? all : [{ path, kind: 'weights' }];
}

function namesOf(tree: Tree): FolderNames {
  return {
    files: tree.files,
    folders: [...tree.folders.keys()],
    filesIn: (name) => tree.folders.get(name)?.files ?? [],
  };
}

/** The first file of each model, where each file is one; undefined where they are not. */
function singleModels(names: readonly string[]): string[] | undefined {
  if (!names.every((name) => ONE_EACH.has(extensionOf(name))) && !areUnrelated(names)) return undefined;
  const first = new Map<string, string>();
  for (const name of [...names].sort()) {
    const key = numberedPart(name)?.set ?? name;
    if (!PROJECTOR.test(name) && !first.has(key)) first.set(key, name);
  }
  return [...first.values()];
}

/** Whether files of one format have names that say nothing of each other: neither checkpoints of a training nor parts of a model. */
function areUnrelated(names: readonly string[]): boolean {
  const [extension = '', ...others] = new Set(names.map(extensionOf));
  if (names.length < 2 || others.length > 0 || !BY_NAME.has(extension)) return false;
  return !names.some((name) => isOneOfTraining(name) || PART_OF_ONE.test(name));
}
