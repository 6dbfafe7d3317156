import { isLightgbm, readLightgbm } from '../boosters/lightgbm.ts';
import { readXgboost, xgboostKind } from '../boosters/xgboost.ts';
import { readHead, startsWith } from '../bytes/byte-readers.ts';
import { unlessBroken } from '../bytes/structure-error.ts';
import { isPickleName } from '../code/file-kinds.ts';
import { toScalars, toText } from '../documents/scalars.ts';
import { extensionOf } from '../file-names.ts';
import { ggmlKind } from '../ggml/ggml.ts';
import { type PickledObject, readPickledObject } from '../pickle/pickled-object.ts';
import { torchProgramKind } from '../torch/torchscript.ts';
import type { ReadOptions } from '../types.ts';
import type { ModelFile, WeightsFacts } from './types.ts';

/** A kind of file that its content tells, where its name may say nothing or something else. */
interface KnownFile {
  /** Whether a file of this name may be one. */
  readonly extensions: readonly string[];
  read(file: ModelFile, options: ReadOptions): Promise<WeightsFacts | undefined>;
}

const CATBOOST_HEAD = [0x43, 0x42, 0x4d, 0x31];

const KNOWN_FILES: readonly KnownFile[] = [
  { extensions: ['.json', '.ubj', '.model', '.xgb', '.bin'], read: readXgboostFacts },
  { extensions: ['.txt', '.model', '.lgb', '.lgbm'], read: readLightgbmFacts },
  { extensions: ['.cbm', '.bin', '.model'], read: readCatboostFacts },
  { extensions: ['.bin', '.ggml'], read: readGgmlFacts },
  { extensions: ['.pt', '.pth', '.ptl', '.torchscript', '.pt2', '.ckpt', '.bin'], read: readTorchProgramFacts },
  { extensions: ['.pkl', '.pickle', '.joblib', '.dill', '.p', '.sav'], read: readPickleFacts },
];

/** The facts of a file of one of these kinds; undefined for any other. Throws what reading it throws. */
export async function readKnownFile(file: ModelFile, options: ReadOptions): Promise<WeightsFacts | undefined> {
  const extension = extensionOf(file.path);
  for (const { extensions, read } of KNOWN_FILES) {
    const facts = extensions.includes(extension) ? await read(file, options) : undefined;
    if (facts !== undefined) return facts;
  }
  return undefined;
}

async function readXgboostFacts(file: ModelFile): Promise<WeightsFacts | undefined> {
  const kind = await xgboostKind(file, file.path);
  if (kind === undefined) return undefined;
  const found = await unlessBroken(readXgboost(file, kind));
  return {
    modelType: 'xgboost',
    framework: 'xgboost',
    backbone: toText(found?.booster),
    hyperparameters: toScalars([
      ['objective', found?.objective],
      ['num_feature', found?.features],
    ]),
    versions: toScalars([['xgboost_version', found?.version]]),
  };
}

async function readLightgbmFacts(file: ModelFile): Promise<WeightsFacts | undefined> {
  if (!(await isLightgbm(file))) return undefined;
  const found = await unlessBroken(readLightgbm(file));
  return {
    modelType: 'lightgbm',
    framework: 'lightgbm',
    hyperparameters: toScalars([
      ['objective', found?.objective],
      ['num_class', found?.classes],
      ['num_feature', found?.features],
      ['num_trees', found?.trees],
    ]),
    versions: toScalars([['lightgbm_format', found?.version]]),
  };
}

/** Source: catboost, libs/model/model.cpp (`MODEL_FILE_DESCRIPTOR_CHARS`). */
async function readCatboostFacts(file: ModelFile): Promise<WeightsFacts | undefined> {
  const isCatboost = startsWith(await readHead(file, CATBOOST_HEAD.length), CATBOOST_HEAD);
  return isCatboost ? { modelType: 'catboost', framework: 'catboost' } : undefined;
}

async function readGgmlFacts(file: ModelFile): Promise<WeightsFacts | undefined> {
  const kind = await ggmlKind(file);
  if (kind === undefined) return undefined;
  return { modelType: 'ggml', framework: kind === 'whisper' ? 'whisper.cpp' : 'ggml' };
}

async function readTorchProgramFacts(file: ModelFile): Promise<WeightsFacts | undefined> {
  const kind = await torchProgramKind(file);
  return kind === undefined ? undefined : { modelType: kind, framework: kind };
}

/** The libraries whose objects are models, by the first part of a module's name; the first that is in a pickle is its type. */
const LIBRARIES: readonly (readonly [module: string, type: string])[] = [
  ...(['xgboost', 'lightgbm', 'catboost', 'imblearn', 'statsmodels', 'hmmlearn', 'spacy'] as const).map(
    (name) => [name, name] as const,
  ),
  ['sklearn', 'sklearn'],
  ['torch', 'torch'],
  ['keras', 'keras'],
];

/** What the pickle imports tells the library without loading it. */
async function readPickleFacts(file: ModelFile, options: ReadOptions): Promise<WeightsFacts | undefined> {
  if (!isPickleName(file.path) && extensionOf(file.path) !== '.sav') return undefined;
  const found = await readPickledObject(file, options);
  const type = libraryOf(found);
  if (type === undefined) return undefined;
  return {
    modelType: type,
    framework: extensionOf(file.path) === '.joblib' || isOfJoblib(found) ? 'joblib' : 'pickle',
    backbone: toText(found.className?.split('.').at(-1)),
    versions: toScalars([['sklearn_version', found.state.get('_sklearn_version')]]),
  };
}

/** By the object itself before what it is made of: a pipeline of sklearn may hold a classifier of xgboost. */
function libraryOf({ className, imports }: PickledObject): string | undefined {
  const own = LIBRARIES.find(([module]) => className?.startsWith(`${module}.`));
  const roots = new Set(imports.map(({ module }) => module.split('.')[0]));
  return (own ?? LIBRARIES.find(([module]) => roots.has(module)))?.[1];
}

/** It keeps arrays in a way that pickle.load does not read. */
function isOfJoblib({ imports }: PickledObject): boolean {
  return imports.some(({ module }) => module.startsWith('joblib.'));
}
