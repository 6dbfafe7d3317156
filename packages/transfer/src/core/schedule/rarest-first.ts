import { MAX_LOOKED_AT } from '../limits.ts';

/** Chunks that are perhaps missing: any can be looked at, added and removed in constant time. */
class ChunkBag {
  readonly #ids: number[] = [];
  readonly #within: Uint8Array;

  constructor(count: number) {
    this.#within = new Uint8Array(count);
  }

  get size(): number {
    return this.#ids.length;
  }

  at(place: number): number {
    return this.#ids[place] as number;
  }

  add(id: number): void {
    if (this.#within[id] === 1) return;
    this.#within[id] = 1;
    this.#ids.push(id);
  }

  /** Another chunk takes its place. */
  removeAt(place: number): void {
    const id = this.at(place);
    const last = this.#ids.pop() as number;
    this.#within[id] = 0;
    if (id !== last) this.#ids[place] = last;
  }
}

interface Partial {
  readonly has: Uint8Array;
  /** What it has and is perhaps missing here. */
  readonly bag: ChunkBag;
}

export interface PickRules {
  readonly isMissing: (id: number) => boolean;
  /** @param holders - how many sources that are not whole have the chunk */
  readonly mayTake: (id: number, holders: number) => boolean;
}

/**
 * Which chunks sources have that are still fetching the model themselves, and which chunk to take next: one that few of them
 * have, at random among those. So many that fetch the same model soon have different parts of it to give each other.
 */
export class RarestFirst {
  readonly #count: number;
  readonly #random: () => number;
  /** By id: how many of these sources have the chunk. */
  readonly #holders: Uint16Array;
  /** By number of the source. */
  readonly #partials = new Map<number, Partial>();
  readonly #all: ChunkBag;

  /** @param random - from 0 to below 1 */
  constructor(count: number, random: () => number) {
    this.#count = count;
    this.#random = random;
    this.#holders = new Uint16Array(count);
    this.#all = new ChunkBag(count);
  }

  /** The chunk is missing here, for the first time or again. */
  add(id: number): void {
    this.#all.add(id);
    for (const { has, bag } of this.#partials.values()) if (has[id] === 1) bag.add(id);
  }

  /** What a source has from now on, by id; undefined for a source that has everything, or is gone. */
  set(source: number, has: Uint8Array | undefined): void {
    const before = this.#partials.get(source)?.has;
    this.#partials.delete(source);
    for (let id = 0; before !== undefined && id < this.#count; id++) this.#held(id, -(before[id] ?? 0));
    if (has === undefined) return;
    this.#partials.set(source, { has: new Uint8Array(this.#count), bag: new ChunkBag(this.#count) });
    for (let id = 0; id < this.#count; id++) if (has[id] === 1) this.gained(source, id);
  }

  /** A source that is not whole has one more chunk. */
  gained(source: number, id: number): void {
    const partial = this.#partials.get(source);
    if (partial === undefined || partial.has[id] !== 0) return;
    partial.has[id] = 1;
    partial.bag.add(id);
    this.#held(id, 1);
  }

  /** Whether the source has the chunk, as far as it said. A whole source has all. */
  mayHave(source: number, id: number): boolean {
    const partial = this.#partials.get(source);
    return partial === undefined || partial.has[id] === 1;
  }

  isPartial(source: number): boolean {
    return this.#partials.has(source);
  }

  /** A chunk to ask this source for. Looks at MAX_LOOKED_AT chunks at most, from a random one on. */
  pick(source: number, { isMissing, mayTake }: PickRules): number | undefined {
    const bag = this.#partials.get(source)?.bag ?? this.#all;
    let place = Math.floor(this.#random() * bag.size);
    let best: { id: number; holders: number } | undefined;
    let ties = 0;
    for (let looked = Math.min(bag.size, MAX_LOOKED_AT); looked > 0 && bag.size > 0; looked--) {
      if (place >= bag.size) place = 0;
      const id = bag.at(place);
      if (!isMissing(id)) {
        bag.removeAt(place);
        continue;
      }
      place++;
      const holders = this.#holders[id] ?? 0;
      if ((best !== undefined && holders > best.holders) || !mayTake(id, holders)) continue;
      ties = holders === best?.holders ? ties + 1 : 1;
      if (ties === 1 || this.#random() * ties < 1) best = { id, holders };
    }
    return best?.id;
  }

  #held(id: number, by: number): void {
    this.#holders[id] = (this.#holders[id] ?? 0) + by;
  }
}
