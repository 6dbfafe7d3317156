import type { Beat } from '../../packages/mesh/src/core/beats/beat.ts';
import type { RecordStore, RecordSummary, TakenBeats } from '../../packages/mesh/src/core/gossip/types.ts';

export const BEAT_MS = 300_000;
const HEAD = 'model_catalog/';
const VALUE = new Uint8Array(16);

/** Nodes whose heads and beats are followed: what happens with those of one node does not depend on those of others. */
export class Followed {
  readonly hints: readonly string[];
  /** The names of their heads. */
  readonly names: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  /** When each head was signed, in virtual time: by node, then by sequence. */
  readonly #issuedAtMs: number[][];

  /** @param phaseOf when a node had signed the head that all know at the start */
  constructor(count: number, phaseOf: () => number) {
    // Spread over the ranges of names, as real keys are.
    this.hints = Array.from({ length: count }, (_, i) =>
      (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(2),
    );
    this.names = this.hints.map((hint) => `${HEAD}${hint}`);
    this.#places = new Map([...this.hints, ...this.names].map((text, i) => [text, i % count]));
    this.#issuedAtMs = this.hints.map(() => [Number.NEGATIVE_INFINITY, phaseOf()]);
  }

  /** @param text the hint of a node, or the name of its head */
  placeOf(text: string): number {
    return this.#places.get(text) ?? -1;
  }

  newestOf(place: number): number {
    return (this.#issuedAtMs[place]?.length ?? 0) - 1;
  }

  issuedAtMs(place: number, sequence: number): number {
    return this.#issuedAtMs[place]?.[sequence] ?? Number.NaN;
  }

  /** @returns the sequence of the new head */
  sign(place: number, nowMs: number): number {
    return (this.#issuedAtMs[place]?.push(nowMs) ?? 0) - 1;
  }
}

/** What a simulated node knows of those that are followed. Signatures and hashes of chains are left out. */
export class SimulatedStore implements RecordStore {
  /** Of the newest head that it knows of each; 0 where it knows none. */
  readonly sequences: Uint8Array;
  /** How many beats of that head. */
  readonly beats: Uint16Array;
  /** With those of the nodes that are not followed. */
  readonly size: number;
  readonly #followed: Followed;

  constructor(followed: Followed, size: number) {
    this.#followed = followed;
    this.size = size;
    this.sequences = new Uint8Array(followed.hints.length).fill(1);
    this.beats = new Uint16Array(followed.hints.length);
  }

  summary(beatsUntil = Number.POSITIVE_INFINITY): RecordSummary[] {
    return this.#followed.names.flatMap((name, place) => {
      const order = this.sequences[place] as number;
      if (order === 0) return [];
      const due = Math.max(0, Math.floor((beatsUntil - this.#followed.issuedAtMs(place, order)) / BEAT_MS));
      return [{ name, order, beat: Math.min(this.beats[place] as number, due) }];
    });
  }
  orderOf(name: string) {
    const sequence = this.sequences[this.#followed.placeOf(name)] ?? 0;
    return sequence === 0 ? undefined : sequence;
  }
  bytesOf(name: string) {
    const place = this.#followed.placeOf(name);
    const sequence = this.sequences[place] ?? 0;
    return sequence === 0 ? undefined : Uint8Array.of(place, sequence);
  }
  accept([place = 0, sequence = 0]: Uint8Array) {
    if (sequence <= (this.sequences[place] as number)) return Promise.resolve(undefined);
    this.sequences[place] = sequence;
    this.beats[place] = 0;
    return Promise.resolve(this.#followed.names[place]);
  }
  beatsOf(name: string) {
    return this.beats[this.#followed.placeOf(name)];
  }
  beatOf(hint: string): Beat | undefined {
    const place = this.#followed.placeOf(hint);
    const sequence = this.sequences[place] ?? 0;
    return sequence === 0 ? undefined : beatOf(hint, sequence, this.beats[place] as number);
  }
  acceptBeats(beats: readonly Beat[]): Promise<TakenBeats> {
    const taken = { news: [] as Beat[], early: [] as Beat[], want: [] as string[], wrongSteps: 0 };
    for (const beat of beats) {
      const place = this.#followed.placeOf(beat.hint);
      const sequence = this.sequences[place] as number;
      if (beat.sequence > sequence) {
        taken.early.push(beat);
        taken.want.push(this.#followed.names[place] as string);
      } else if (beat.sequence === sequence && beat.index > (this.beats[place] as number)) {
        this.beats[place] = beat.index;
        taken.news.push(beat);
      }
    }
    return Promise.resolve(taken);
  }
  missingParts() {
    return [];
  }
  part() {
    return undefined;
  }
  acceptPart() {
    return Promise.resolve(false);
  }
}

export function beatOf(hint: string, sequence: number, index: number): Beat {
  return { hint, sequence, index, value: VALUE };
}
