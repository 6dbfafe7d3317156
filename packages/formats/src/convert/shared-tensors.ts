import type { TensorCopy } from './types.ts';

export interface SharedTensors {
  /** Those to write, in the given order. */
  readonly kept: readonly TensorCopy[];
  /** A name that is not written, and the one that has its values. */
  readonly dropped: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/**
 * Names that transformers gives to another tensor's values when it loads a model, from the `_tied_weights_keys` of its classes. One
 * that comes later here stays only when no earlier one and no other name has the values.
 */
const TIED_NAMES: readonly RegExp[] = [
  /(^|\.)(encoder|decoder)\.(embed_tokens|block\.0\.embed_tokens)\.weight$/,
  /(^|\.)(lm_head|embed_out|proj_out|output_projection|generator_lm_head|lm_loss|vocab_projector|predictions\.decoder|lm_head\.decoder)\.(weight|bias)$/,
];

/**
 * What becomes of tensors that are the same items of one storage. A name is dropped only when the loader makes it again; any
 * other is written with values of its own, as is each view that shares its storage in part.
 */
export function settleShared(tensors: readonly TensorCopy[], tiesWeights: boolean): SharedTensors {
  const dropped = new Map<string, string>();
  const warnings: string[] = [];
  for (const names of sameItems(tensors)) {
    const [first, ...others] = names.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1)) as [string];
    const tied = tiesWeights ? others.filter((name: string) => rankOf(name) > 0) : [];
    for (const name of tied) {
      dropped.set(name, first);
      warnings.push(
        `${name} has the values of ${first}, so it is left out; whatever loads the model gives it these values.`,
      );
    }
    for (const name of others.filter((other: string) => !dropped.has(other))) {
      warnings.push(`${name} and ${first} share their values in the original, and each has them here.`);
    }
  }
  return { kept: tensors.filter(({ name }) => !dropped.has(name)), dropped, warnings };
}

function rankOf(name: string): number {
  return 1 + TIED_NAMES.findIndex((pattern) => pattern.test(name));
}

/** The names of each run of items that has several. */
function sameItems(tensors: readonly TensorCopy[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const { name, dtype, shape, stride, start, bytes } of tensors) {
    if (bytes === 0) continue;
    // The stride of a side of one item says nothing.
    const steps = stride.map((step, i) => (shape[i] === 1 ? 0 : step));
    const key = `${start} ${dtype} ${shape} ${steps}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [name]);
    else known.push(name);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}
