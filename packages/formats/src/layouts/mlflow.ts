import { besideFile } from '../completeness/folders.ts';
import { readText } from '../documents/document.ts';
import { readIfThere } from '../documents/run-documents.ts';
import { at, isObject, type Scalars, toModelType, toScalars, toText } from '../documents/scalars.ts';
import { chooseCheckpoint } from './checkpoint-choice.ts';
import { modifiedAt, NO_FACTS } from './facts.ts';
import type { Layout, ModelFacts, ModelFile, ModelFolder } from './types.ts';

/** The flavor that every model has beside its own. */
const GENERIC = 'python_function';
/** Where flavors name their file or folder. */
const FILE_FIELDS = ['pickled_model', 'model_path', 'data', 'model_data', 'saved_model_dir', 'model_binary'];
/** The folder of a run seen from a model in it: `RUN/artifacts/NAME`; since MLflow 3 `models/ID/artifacts`. */
const RUN_FOLDERS = ['../..', '..'];
const MAX_METRIC_BYTES = 64 * 1024;

/** A logged model of MLflow, in `mlruns/` or anywhere else. Source: https://mlflow.org/docs/latest/ml/model (MLmodel) */
export const mlflow: Layout = {
  async recognise(folder) {
    const modelFile = folder.file('MLmodel');
    if (modelFile === undefined) return undefined;
    const model = await readIfThere(modelFile);
    const flavors = at(model, 'flavors');
    const flavor = isObject(flavors) ? Object.keys(flavors).find((name) => name !== GENERIC) : undefined;
    const checkpoint = checkpointOf(folder, [at(flavors, flavor ?? ''), at(flavors, GENERIC)]);
    const run = await runOf(folder);
    const facts: ModelFacts = {
      ...NO_FACTS,
      modelType: toModelType(flavor) ?? 'mlflow',
      framework: 'mlflow',
      metrics: run === undefined ? {} : await numbersIn(folder, `${run.path}/metrics`),
      hyperparameters: run === undefined ? {} : await parametersIn(folder, `${run.path}/params`),
      versions: toScalars([
        ['mlflow_version', at(model, 'mlflow_version')],
        ...['sklearn_version', 'pytorch_version', 'keras_version', 'xgb_version', 'lgb_version'].map(
          (name) => [name, at(flavors, flavor ?? '', name)] as const,
        ),
      ]),
      checkpointPath: checkpoint?.path,
      configPath: modelFile.path,
      completedAt: modifiedAt(checkpoint ?? modelFile),
      runName: run?.name,
    };
    return { facts };
  },
};

function checkpointOf(folder: ModelFolder, flavors: readonly unknown[]): ModelFile | undefined {
  for (const flavor of flavors) {
    for (const field of FILE_FIELDS) {
      const named = toText(at(flavor, field));
      const path = named === undefined ? undefined : besideFile('MLmodel', named);
      const file = path === undefined ? undefined : folder.file(path);
      if (file !== undefined) return file;
      const below = path === undefined ? [] : folder.weights.filter((weights) => weights.path.startsWith(`${path}/`));
      if (below.length > 0) return chooseCheckpoint(below);
    }
  }
  return chooseCheckpoint(folder.weights);
}

interface Run {
  /** Relative to the model. */
  readonly path: string;
  readonly name: string | undefined;
}

async function runOf(folder: ModelFolder): Promise<Run | undefined> {
  for (const path of RUN_FOLDERS) {
    const meta = (await folder.around(path)).find((file) => file.path === 'meta.yaml');
    const document = await readIfThere(meta);
    const name = toText(at(document, 'run_name')) ?? toText(at(document, 'name'));
    if (meta !== undefined) return { path, name };
  }
  return undefined;
}

/** A file a metric, with a line for each value: time, value, step. */
async function numbersIn(folder: ModelFolder, path: string): Promise<Scalars> {
  const metrics: [string, unknown][] = [];
  for (const file of await folder.around(path)) {
    if (file.size > MAX_METRIC_BYTES) continue;
    const last = (await readText(file, MAX_METRIC_BYTES)).trim().split('\n').at(-1) ?? '';
    metrics.push([file.path, Number(last.split(' ')[1])]);
  }
  return toScalars(metrics);
}

async function parametersIn(folder: ModelFolder, path: string): Promise<Scalars> {
  const parameters: [string, unknown][] = [];
  for (const file of await folder.around(path)) {
    const text = (await readText(file, MAX_METRIC_BYTES)).trim();
    parameters.push([file.path, text !== '' && Number.isFinite(Number(text)) ? Number(text) : text]);
  }
  return toScalars(parameters);
}
