import { MAX_LANES_OF_ALL_PEERS } from './limits.ts';

/** Divides the connections that one program may open among the peers that it takes data from at once. */
export class LaneShare {
  #peers = 0;

  /** One more peer shares them. @returns ends that; call it once */
  join(): () => void {
    this.#peers += 1;
    return () => {
      this.#peers -= 1;
    };
  }

  /** How many connections each peer may have now. */
  get each(): number {
    return Math.max(1, Math.floor(MAX_LANES_OF_ALL_PEERS / Math.max(1, this.#peers)));
  }
}
