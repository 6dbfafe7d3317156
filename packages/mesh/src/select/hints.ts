import { hintKey, type ReliabilityHint } from '../core/catalog/hints.ts';

/**
 * However many members agree that a node is bad, it is expected to be this good until it was asked. Above what counts as unreliable, so that hints change the order
 * among nodes that are alike in all else, and exclude nobody.
 */
export const HINT_FLOOR = 0.7;

/** A member whose hints count. */
export interface HintGiver {
  readonly key: string;
  readonly hints: readonly ReliabilityHint[];
}

/**
 * What members say of nodes that this machine never asked: the median, as a number from `HINT_FLOOR` to 1. Each giver counts once for a node, and nobody for itself.
 * @returns by key; undefined where nobody says anything
 */
export function hintsOf(givers: readonly HintGiver[]): (key: string) => number | undefined {
  const said = new Map<string, Map<string, number>>();
  for (const { key, hints } of givers) {
    for (const { node, reliability } of hints) {
      if (node === hintKey(key)) continue;
      const ofNode = said.get(node) ?? new Map<string, number>();
      said.set(node, ofNode.set(key, reliability));
    }
  }
  return (key) => {
    const values = [...(said.get(hintKey(key))?.values() ?? [])].sort((a, b) => a - b);
    // Of two in the middle the better one: a doubt counts for the node.
    const median = values[Math.floor(values.length / 2)];
    return median === undefined ? undefined : HINT_FLOOR + (1 - HINT_FLOOR) * Math.min(1, Math.max(0, median));
  };
}
