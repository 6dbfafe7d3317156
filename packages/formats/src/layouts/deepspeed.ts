import { readText } from '../documents/document.ts';
import { baseName } from '../file-names.ts';
import { compareNumbers, numbersOf } from './checkpoint-choice.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

const MAX_TAG_BYTES = 256;
const MODEL_STATES = /^([^/]+)\/[^/]*model_states\.pt$/;
const STATES = /^([^/]+)\/[^/]*_(model|optim)_states\.pt$/;

/**
 * A checkpoint of DeepSpeed: folders of states; a file `latest` names the newest. In stage 3 the weights are in the optimizer's
 * parts alone, so these stay. Source: deepspeed/utils/zero_to_fp32.py
 */
export const deepspeed: Layout = {
  async recognise(folder) {
    const tag = await tagOf(folder);
    const checkpoint = tag === undefined ? undefined : checkpointOf(folder, tag);
    if (tag === undefined || checkpoint === undefined) return undefined;
    const ofWeights = await readTrainingFacts(checkpoint, folder);
    const facts = factsOf(checkpoint, {
      modelType: 'torch',
      framework: 'deepspeed',
      metrics: ofWeights.metrics ?? {},
      hyperparameters: ofWeights.hyperparameters ?? {},
      versions: ofWeights.versions ?? {},
    });
    const isEarlier = (path: string) => STATES.test(path) && !path.startsWith(`${tag}/`);
    return { facts, leaveOut: (path) => (isEarlier(path) ? 'an earlier checkpoint of the training' : undefined) };
  },
};

/** The folder that `latest` names, else the last by number. */
async function tagOf({ files, file }: ModelFolder): Promise<string | undefined> {
  const tags = [...new Set(files.map(({ path }) => STATES.exec(path)?.[1]).filter((tag) => tag !== undefined))];
  const latest = file('latest');
  const named = latest === undefined ? undefined : (await readText(latest, MAX_TAG_BYTES)).trim();
  if (named !== undefined && tags.includes(named)) return named;
  return tags.sort((a, b) => compareNumbers(numbersOf(b), numbersOf(a)))[0];
}

function checkpointOf({ files }: ModelFolder, tag: string): ModelFile | undefined {
  const states = files.filter(({ path }) => MODEL_STATES.exec(path)?.[1] === tag);
  const isWhole = ({ path }: ModelFile) => baseName(path) === 'mp_rank_00_model_states.pt';
  return states.find(isWhole) ?? states.sort((a, b) => (a.path < b.path ? -1 : 1))[0];
}
