import { baseName } from '../file-names.ts';
import { largest } from './facts.ts';
import type { ModelFile } from './types.ts';

/** Names by which trainers tell their checkpoints apart; the first is the one that a person would load. */
const ORDER: readonly RegExp[] = [
  /(^|[-_.])best([-_.]|\d|$)/i,
  /(^|[-_.])final([-_.]|$)/i,
  /^((pytorch_|adapter_|tf_|flax_)?model|weights?)\.[a-z0-9]+$/i,
  /(^|[-_.])(last|latest)([-_.]|$)/i,
];
const NUMBERED = ORDER.length;
/** A small table called `best_thresholds.npz` is no checkpoint beside weights of a gigabyte. */
const LEAST_SHARE = 0.25;
const STATE_OF_OPTIMIZER = /(^|_)optim(izer)?(_states)?[-_.\d]*\.[a-z]+$/i;

/** The file of some weights that a person would load: the best before the last before the highest epoch, else the largest. */
export function chooseCheckpoint(files: readonly ModelFile[]): ModelFile | undefined {
  const weights = files.filter(({ path }) => !STATE_OF_OPTIMIZER.test(baseName(path)));
  const least = (largest(weights)?.size ?? 0) * LEAST_SHARE;
  const candidates = weights.filter(({ size }) => size >= least);
  const ranked = candidates.filter(({ path }) => rankOf(path) <= NUMBERED);
  return [...ranked].sort(byRank)[0] ?? largest(weights) ?? largest(files);
}

function byRank(a: ModelFile, b: ModelFile): number {
  return rankOf(a.path) - rankOf(b.path) || compareNumbers(numbersOf(b.path), numbersOf(a.path));
}

/** Larger for a name that tells nothing. */
function rankOf(path: string): number {
  const rank = ORDER.findIndex((pattern) => pattern.test(baseName(path)));
  if (rank >= 0) return rank;
  return isNumbered(path) ? NUMBERED : NUMBERED + 1;
}

/** Whether a name tells a checkpoint from others of the same training. */
export function isOneOfTraining(path: string): boolean {
  return rankOf(path) <= NUMBERED;
}

const PROGRESS =
  /(?:^|[-_.=])(?:epochs?|steps?|iter(?:ation)?s?|snapshot|checkpoint|ckpt|model|weights)[-_.=]?0*(\d+)/i;

/** Whether a checkpoint is named by how far the training was: `epoch=9-step=100.ckpt`, `snapshot-200.pt`. */
export function isNumbered(path: string): boolean {
  return PROGRESS.test(baseName(path));
}

/** How far the training was, for comparing: epochs and steps in the order in which the name has them. */
export function numbersOf(path: string): number[] {
  return [...baseName(path).matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

/** Negative, zero or positive, as the first is earlier or later. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((number, at) => number !== b[at]);
  return i < 0 ? a.length - b.length : (a[i] as number) - (b[i] ?? -1);
}
