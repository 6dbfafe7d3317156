import type { ModelEntry } from '@model-rtc/protocol';

type Scalars = ModelEntry['metrics'];
type Scalar = Scalars[string];

/** One metric or hyperparameter of several models. */
export interface ScalarRow {
  readonly name: string;
  /** In the models' order; null where a model has none. */
  readonly values: readonly Scalar[];
  /** Whether the models that have one do not all have the same. */
  readonly differs: boolean;
  /** The places of the models with the best value; empty where better cannot be told, or all are the same. */
  readonly best: readonly number[];
}

const LOWER_IS_BETTER = /loss|error|err$|(^|_)(mae|mse|rmse|nll|ppl|perplexity|wer|cer|fid|distance|dist)(_|$)/i;
const HIGHER_IS_BETTER =
  /(^|_)(acc|accuracy|auc|auroc|f1|precision|recall|map|mar|iou|miou|dice|oks|pck|r2|bleu|rouge\w*|psnr|ssim|fitness)(_|$|\d|@)/i;

/** What several models have under each name, in the order in which the names first come. */
export function compareScalars(all: readonly Scalars[]): ScalarRow[] {
  const names = new Set(all.flatMap((scalars) => Object.keys(scalars)));
  return [...names].map((name) => {
    const values = all.map((scalars) => (Object.hasOwn(scalars, name) ? (scalars[name] ?? null) : null));
    const there = values.filter((value) => value !== null);
    return { name, values, differs: new Set(there).size > 1, best: bestOf(name, values) };
  });
}

function bestOf(name: string, values: readonly Scalar[]): number[] {
  const numbers = values.filter((value) => typeof value === 'number');
  if (new Set(numbers).size < 2) return [];
  const best = LOWER_IS_BETTER.test(name)
    ? Math.min(...numbers)
    : HIGHER_IS_BETTER.test(name)
      ? Math.max(...numbers)
      : undefined;
  return values.flatMap((value, i) => (best !== undefined && value === best ? [i] : []));
}
