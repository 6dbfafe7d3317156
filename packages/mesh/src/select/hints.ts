import { hintKey, type ReliabilityHint } from '../core/catalog/hints.ts';

/**
 * However many members agree that a node is bad, it is expected to be this good until it was asked. Above what counts as unreliable, so that hints change the order
 * among nodes that are alike in all else, and exclude nobody.
 */
export const HINT_FLOOR = 0.7;

/** A member whose hints count. */
export interface HintGiver {
  readonly key: string;
  /** Each node once, as `hintsSchema` makes sure. */
  readonly hints: readonly ReliabilityHint[];
}

/**
 * What members say of nodes that this machine never asked: the median, as a number from `HINT_FLOOR` to 1. Each giver counts once for a node, and nobody for itself.
 * @returns by key; undefined where nobody says anything
 */
export function hintsOf(givers: readonly HintGiver[]): (key: string) => number | undefined {
  const said = new Map<string, number[]>();
  for (const { key, hints } of new Map(givers.map((giver) => [giver.key, giver])).values()) {
    const own = hintKey(key);
    for (const { node, reliability } of hints) {
      if (node === own) continue;
      const values = said.get(node);
      if (values === undefined) said.set(node, [reliability]);
      else values.push(reliability);
    }
  }
  return (key) => {
    const values = said.get(hintKey(key));
    if (values === undefined) return undefined;
    values.sort((a, b) => a - b);
    // Of two in the middle the better one: a doubt counts for the node.
    const median = values[Math.floor(values.length / 2)] as number;
    return HINT_FLOOR + (1 - HINT_FLOOR) * Math.min(1, Math.max(0, median));
  };
}
