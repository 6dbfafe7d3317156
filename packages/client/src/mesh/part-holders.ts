import type { MeshHolder } from '@model-rtc/mesh';

/** So many nodes with a part are joined in this time: by the next turn those are known that began a moment later. */
const JOINED_AT_ONCE = 2;
const TURN_MS = 2_000;

/** Which node is asked no more, and which one instead. */
export interface Exchange {
  /** Its key. */
  readonly leaves: string;
  readonly comes: MeshHolder;
}

/**
 * Which of the nodes that are still fetching the model are asked for it. About as many others should ask each of them: what only one
 * of them has reaches nobody when nobody asks it. Nobody would ask those that begin last if everyone took the first that it
 * hears of and kept them, so places are taken a few at a time, and given up for newcomers by chance. Pure: time and chance are handed in.
 */
export class PartHolders {
  /** The keys of all that were ever there to be asked. */
  readonly #met = new Set<string>();
  #turnMs = Number.NEGATIVE_INFINITY;
  #joined = 0;

  /** @returns of the chosen holders, those that are joined now: all that have the model whole, and a few of the others */
  inTurn(chosen: readonly MeshHolder[], nowMs: number): readonly MeshHolder[] {
    if (nowMs - this.#turnMs >= TURN_MS) [this.#turnMs, this.#joined] = [nowMs, 0];
    return chosen.filter(({ isWhole }) => isWhole || this.#joined++ < JOINED_AT_ONCE);
  }

  /**
   * Notes who is there, and gives a newcomer the place of another one with the chance that each of those had: all that were ever there
   * are equally likely to be asked.
   *
   * @param able - holders of a part that could be asked
   * @param asked - keys of those that are asked now; none while there are places left
   */
  exchange(able: readonly MeshHolder[], asked: readonly string[], random: () => number): Exchange | undefined {
    let chosen: MeshHolder | undefined;
    for (const key of asked) this.#met.add(key);
    for (const holder of able) {
      if (this.#met.has(holder.node.key)) continue;
      this.#met.add(holder.node.key);
      if (random() * this.#met.size < asked.length) chosen = holder;
    }
    const leaves = asked[Math.floor(random() * asked.length)];
    return chosen === undefined || leaves === undefined ? undefined : { leaves, comes: chosen };
  }
}
