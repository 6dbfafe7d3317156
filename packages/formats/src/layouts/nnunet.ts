import { ModelRtcError } from '@model-rtc/protocol';
import { readIfThere } from '../documents/run-documents.ts';
import { at, mergeScalars, type Scalars, toScalars, toText } from '../documents/scalars.ts';
import { baseName } from '../file-names.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

const FOLD = /^fold_(\d+|all)$/;
/** `nnUNetTrainer__nnUNetPlans__3d_fullres`; what is called so goes without saying. */
const TRAINER_FOLDER = /^(.+?)__(.+)__(.+)$/;
const DEFAULTS = new Set(['nnUNetTrainer', 'nnUNetPlans']);
const SETTINGS = ['batch_size', 'patch_size', 'spacing', 'normalization_schemes', 'UNet_class_name'];
/** What prediction takes, the default first. */
const CHECKPOINTS = ['checkpoint_final.pth', 'checkpoint_best.pth'];
const LOG = /(^|\/)(progress\.png|training_log[^/]*\.txt)$/;

/** A trained nnU-Net: plans, the data set's description and folds. Source: nnunetv2/inference/predict_from_raw_data.py */
export const nnunet: Layout = {
  async recognise(folder) {
    requireNoFold(folder);
    const plansFile = folder.file('plans.json');
    const checkpoint = checkpointOf(folder);
    if (plansFile === undefined || checkpoint === undefined) return undefined;
    const plans = await readIfThere(plansFile);
    const dataset = await readIfThere(folder.file('dataset.json'));
    const [trainer, plansName, configuration] = partsOf(folder, plans);
    const settings = at(plans, 'configurations', configuration ?? '');
    const ofWeights = await readTrainingFacts(checkpoint, folder);
    const facts = factsOf(checkpoint, {
      modelType: 'nnunet',
      framework: 'nnunet',
      backbone: trainer,
      metrics: mergeScalars(await diceOf(folder), ofWeights.metrics ?? {}),
      hyperparameters: toScalars([
        ['configuration', configuration],
        ['plans', plansName],
        ['folds', foldsIn(folder).length],
        ...SETTINGS.map((name) => [name, shown(at(settings, name))] as const),
        ['cases', at(dataset, 'numTraining')],
        ['file_ending', at(dataset, 'file_ending')],
      ]),
      versions: {},
      configPath: plansFile.path,
      runName: nameOf(toText(at(plans, 'dataset_name')), [configuration, trainer, plansName]),
    });
    return { facts, leaveOut: (path) => (LOG.test(path) ? 'a log of the training' : undefined) };
  },
};

/** A fold by itself predicts nothing. @throws ModelRtcError `invalid_model` for the folder of one */
function requireNoFold({ location, file, files }: ModelFolder): void {
  const name = location.split(/[/\\]/).at(-1) ?? '';
  if (!FOLD.test(name) || file('plans.json') !== undefined) return;
  if (!files.some(({ path }) => /^checkpoint_(final|best|latest)\.pth$/.test(path))) return;
  const sentence = `${location} is one fold of an nnU-Net model: plans.json and dataset.json are missing here. Import the folder above it, which holds them and all folds.`;
  throw new ModelRtcError('invalid_model', sentence, { details: { path: location } });
}

function checkpointOf({ weights }: ModelFolder): ModelFile | undefined {
  for (const name of CHECKPOINTS) {
    const inFolds = weights.filter(
      ({ path }) => FOLD.test(path.slice(0, path.indexOf('/'))) && baseName(path) === name,
    );
    if (inFolds.length > 0) return inFolds.sort((a, b) => (a.path < b.path ? -1 : 1))[0];
  }
  return undefined;
}

function foldsIn({ weights }: ModelFolder): string[] {
  return [...new Set(weights.map(({ path }) => path.slice(0, path.indexOf('/'))))].filter((name) => FOLD.test(name));
}

/** By the folder's name, which nnU-Net itself reads; a renamed one still has its plans. */
function partsOf({ location }: ModelFolder, plans: unknown): (string | undefined)[] {
  const parts = TRAINER_FOLDER.exec(location.split(/[/\\]/).at(-1) ?? '');
  return parts === null ? [undefined, toText(at(plans, 'plans_name')), undefined] : parts.slice(1);
}

function nameOf(dataset: string | undefined, parts: readonly (string | undefined)[]): string | undefined {
  const telling = parts.filter((part) => part !== undefined && !DEFAULTS.has(part));
  return dataset === undefined ? undefined : [dataset, ...telling].join('-');
}

function shown(value: unknown): unknown {
  return Array.isArray(value) ? value.join(' × ') : value;
}

/** The mean over the folds that were validated. The summaries stay out of the model, since they name cases. */
async function diceOf({ aside, files }: ModelFolder): Promise<Scalars> {
  const summaries = [...aside, ...files].filter(({ path }) => /^fold_[^/]+\/validation\/summary\.json$/.test(path));
  const scores: number[] = [];
  for (const file of summaries.slice(0, 10)) {
    const dice = at(await readIfThere(file), 'foreground_mean', 'Dice');
    if (typeof dice === 'number' && Number.isFinite(dice)) scores.push(dice);
  }
  if (scores.length === 0) return {};
  return toScalars([['mean_dice', scores.reduce((sum, score) => sum + score, 0) / scores.length]]);
}
