import { readIfThere, settingsOf } from '../documents/run-documents.ts';
import { at, mergeScalars, type Scalars, toScalars, toText } from '../documents/scalars.ts';
import { readTrainingLog } from '../documents/training-log.ts';
import { baseName } from '../file-names.ts';
import { chooseCheckpoint, compareNumbers, isNumbered, numbersOf } from './checkpoint-choice.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts, readWeightsFacts } from './weights-facts.ts';

const CHECKPOINT = /^(?:.*\/)?(?:checkpoints?|ckpts?)\/.+\.ckpt(?:\/|$)/;
const SAMPLES = /^images\/.+\.(png|jpe?g|gif)$/i;
/** Sharded, a checkpoint is a folder, whose list stands for it. */
const DISTRIBUTED_PART = /[^/]+\.distcp$/;
const HYDRA_CONFIG = '.hydra/config.yaml';
/** A score in a checkpoint's name: `epoch=3-val_loss=0.12.ckpt`. Lower is better where it is an error. */
const SCORE = /(?:^|[-_/])([A-Za-z][\w/.]*?)=(-?\d+(?:\.\d+)?(?:e-?\d+)?)(?=[-_.]|$)/g;
const LOWER_IS_BETTER = /loss|err|mse|mae|rmse|perplexity|ppl|wer|fid/i;

/**
 * A run of Lightning, or of anything that keeps its run in Hydra's folder: checkpoints, hyperparameters, a table of metrics.
 * Sources: lightning/pytorch/callbacks/model_checkpoint.py, https://hydra.cc/docs (output directory)
 */
export const lightning: Layout = {
  async recognise(folder) {
    const configFile = folder.file('hparams.yaml') ?? folder.file(HYDRA_CONFIG) ?? findConfig(folder);
    const inFolder = folder.weights.filter(({ path }) => CHECKPOINT.test(path));
    const isRun = folder.file('hparams.yaml') !== undefined || folder.file(HYDRA_CONFIG) !== undefined;
    if (!isRun && inFolder.length === 0) return undefined;
    const checkpoints = inFolder.length > 0 ? inFolder : folder.weights;
    const best = bestByName(checkpoints) ?? (await bestByState(folder, checkpoints));
    const chosen = best ?? chooseCheckpoint(checkpoints);
    if (chosen === undefined) return undefined;
    const checkpoint = folder.file(chosen.path.replace(DISTRIBUTED_PART, '.metadata')) ?? chosen;
    const ofWeights = await readWeightsFacts(chosen, folder);
    const facts = factsOf(checkpoint, {
      modelType: ofWeights.modelType ?? 'torch',
      framework: checkpoint === chosen ? 'lightning' : 'torch-distributed',
      metrics: mergeScalars(await metricsOf(folder), ofWeights.metrics ?? {}),
      hyperparameters: mergeScalars(await settingsIn(configFile), ofWeights.hyperparameters ?? {}),
      versions: ofWeights.versions ?? {},
      configPath: configFile?.path,
      runName: await nameOf(folder),
    });
    return { facts, leaveOut: leavingOut(checkpoints, best) };
  },
};

/** Latent-diffusion code writes the description of the network to `configs/`. */
function findConfig({ files }: ModelFolder): ModelFile | undefined {
  return files.find(({ path }) => /^configs\/[^/]*project\.yaml$|^config\.ya?ml$/.test(path));
}

async function settingsIn(file: ModelFile | undefined): Promise<Scalars> {
  return toScalars(settingsOf(await readIfThere(file)));
}

async function metricsOf({ files }: ModelFolder): Promise<Scalars> {
  const tables = files.filter(({ path }) => baseName(path) === 'metrics.csv');
  const last = tables.sort((a, b) => compareNumbers(numbersOf(b.path), numbersOf(a.path)))[0];
  return last === undefined ? {} : await readTrainingLog(last);
}

/** A run that MLflow's logger keeps has its name in a file beside the checkpoints. */
async function nameOf(folder: ModelFolder): Promise<string | undefined> {
  const meta = await readIfThere(folder.file('meta.yaml'));
  return toText(at(meta, 'run_name'));
}

/** The best of several checkpoints by the score in their names; undefined when these tell none. */
function bestByName(files: readonly ModelFile[]): ModelFile | undefined {
  const scored = files.flatMap((file) => {
    const score = scoreOf(file.path);
    return score === undefined ? [] : [{ file, score }];
  });
  return scored.reduce<(typeof scored)[number] | undefined>(
    (best, one) => (best === undefined || one.score > best.score ? one : best),
    undefined,
  )?.file;
}

/** The one that the last checkpoint remembers as the best so far. */
async function bestByState(folder: ModelFolder, files: readonly ModelFile[]): Promise<ModelFile | undefined> {
  if (files.length < 2) return undefined;
  const last = files.find(({ path }) => /(^|[-_.])last([-_.]|$)/.test(baseName(path))) ?? chooseCheckpoint(files);
  const { bestPath } = last === undefined ? {} : await readTrainingFacts(last, folder);
  return bestPath === undefined ? undefined : files.find(({ path }) => baseName(path) === baseName(bestPath));
}

/** Higher is better. */
function scoreOf(path: string): number | undefined {
  const scores = [
    ...baseName(path)
      .replace(/\.ckpt$/, '')
      .matchAll(SCORE),
  ];
  const [, name, number] = scores.find(([, metric]) => !/^(epoch|step|global_step|v)$/i.test(metric as string)) ?? [];
  if (name === undefined) return undefined;
  return LOWER_IS_BETTER.test(name) ? -Number(number) : Number(number);
}

/** Earlier checkpoints go when it is known which is the best; the last stays, to go on from. */
function leavingOut(
  checkpoints: readonly ModelFile[],
  byScore: ModelFile | undefined,
): (path: string) => string | undefined {
  const numbered = checkpoints.filter(({ path }) => isNumbered(path));
  const named = checkpoints.find(({ path }) => /(^|[-_.])best([-_.]|$)/i.test(baseName(path)));
  const last = [...numbered].sort((a, b) => compareNumbers(numbersOf(b.path), numbersOf(a.path)))[0];
  const best = byScore ?? named;
  const earlier = new Set(best === undefined ? [] : numbered.map(({ path }) => path));
  for (const kept of [best, last]) if (kept !== undefined) earlier.delete(kept.path);
  return (path) => {
    if (earlier.has(path)) return 'an earlier checkpoint of the training';
    return SAMPLES.test(path) ? 'a picture of the training' : undefined;
  };
}
