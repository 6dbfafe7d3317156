import { HINT_STEPS, hintKey, type ReliabilityHint } from '../core/catalog/hints.ts';

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
 * What members say of nodes that this machine never asked: the median, as a number from `HINT_FLOOR` to 1. Each giver counts once for a node,
 * and nobody for itself. It is kept from one look to the next: only what changed is counted again, since ten thousand members say 240,000 things.
 */
export class HintBook {
  readonly #givers = new Map<string, readonly ReliabilityHint[]>();
  /** How many say each number of quarters of a node. */
  readonly #said = new Map<string, number[]>();

  /** @param givers - all that count now. The same list of hints, as an object, is not read again. */
  update(givers: readonly HintGiver[]): void {
    const now = new Map(givers.map(({ key, hints }) => [key, hints]));
    for (const [key, hints] of this.#givers) {
      if (now.get(key) === hints) continue;
      this.#givers.delete(key);
      this.#count(key, hints, -1);
    }
    for (const [key, hints] of now) {
      if (this.#givers.has(key)) continue;
      this.#givers.set(key, hints);
      this.#count(key, hints, 1);
    }
  }

  /** @returns undefined where nobody says anything */
  of(key: string): number | undefined {
    const counts = this.#said.get(hintKey(key));
    if (counts === undefined) return undefined;
    const count = counts.reduce((sum, one) => sum + one, 0);
    // Of two in the middle the better one: a doubt counts for the node.
    let before = Math.floor(count / 2);
    const quarters = counts.findIndex((one) => {
      before -= one;
      return before < 0;
    });
    return HINT_FLOOR + ((1 - HINT_FLOOR) * quarters) / HINT_STEPS;
  }

  #count(giver: string, hints: readonly ReliabilityHint[], by: 1 | -1): void {
    const own = hintKey(giver);
    for (const { node, reliability } of hints) {
      if (node === own) continue;
      let counts = this.#said.get(node);
      if (counts === undefined) {
        counts = new Array<number>(HINT_STEPS + 1).fill(0);
        this.#said.set(node, counts);
      }
      const quarters = Math.round(Math.min(1, Math.max(0, reliability)) * HINT_STEPS);
      counts[quarters] = (counts[quarters] ?? 0) + by;
      if (by < 0 && counts.every((one) => one === 0)) this.#said.delete(node);
    }
  }
}
