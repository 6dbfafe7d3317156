/** The states of a chunk: missing, kept for one source, asked for, being written to the disk, on the disk. */
export const MISSING = 0;
export const KEPT = 1;
export const ASKED = 2;
export const WRITING = 3;
export const PRESENT = 4;

export type ChunkState = typeof MISSING | typeof KEPT | typeof ASKED | typeof WRITING | typeof PRESENT;

/** The state of each chunk by id, and how many chunks are in each state. */
export class ChunkStates {
  readonly #states: Uint8Array;
  readonly #counts = [0, 0, 0, 0, 0];

  /** @param present - by id: 1 for each chunk that is on disk already */
  constructor(present: Uint8Array) {
    this.#states = present.map((there) => (there === 1 ? PRESENT : MISSING));
    for (const state of this.#states) this.#add(state, 1);
  }

  get allPresent(): boolean {
    return this.#counts[PRESENT] === this.#states.length;
  }

  get someMissing(): boolean {
    return (this.#counts[MISSING] ?? 0) > 0;
  }

  is(id: number, state: ChunkState): boolean {
    return this.#states[id] === state;
  }

  move(id: number, state: ChunkState): void {
    this.#add(this.#states[id] ?? MISSING, -1);
    this.#add(state, 1);
    this.#states[id] = state;
  }

  #add(state: number, by: number): void {
    this.#counts[state] = (this.#counts[state] ?? 0) + by;
  }
}
