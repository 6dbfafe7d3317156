import type { Beat } from '../../packages/mesh/src/core/beats/beat.ts';
import type { RecordStore, RecordSummary } from '../../packages/mesh/src/core/gossip/types.ts';

export const BEAT_MS = 300_000;
const HEAD = 'model_catalog/';

/** Nodes whose beats are followed. */
export interface Beaters {
  readonly hints: readonly string[];
  /** When each signed its head, in virtual time. */
  readonly issuedAtMs: readonly number[];
}

/** @param phaseOf when it signed its head */
export function beatersOf(count: number, phaseOf: () => number): Beaters {
  // Spread over the ranges of names, as real keys are.
  const hints = Array.from({ length: count }, (_, i) =>
    (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0'),
  );
  return { hints: hints.map((hint) => hint.repeat(2)), issuedAtMs: hints.map(() => phaseOf()) };
}

/** What a simulated node knows: changed catalogs by their numbers, and the newest beat of each beater. Signatures and hashes are left out. */
export class SimulatedStore implements RecordStore {
  readonly known = new Set<number>();
  readonly beats: Uint16Array;
  readonly #beaters: Beaters;
  readonly #places: ReadonlyMap<string, number>;

  constructor(beaters: Beaters, places: ReadonlyMap<string, number>) {
    this.#beaters = beaters;
    this.#places = places;
    this.beats = new Uint16Array(beaters.hints.length);
  }

  summary(beatsUntil = Number.POSITIVE_INFINITY): RecordSummary[] {
    const changes = [...this.known].map((number) => ({ name: `${number}`, order: 1 }));
    const heads = this.#beaters.hints.map((hint, i) => {
      const due = Math.max(0, Math.floor((beatsUntil - (this.#beaters.issuedAtMs[i] ?? 0)) / BEAT_MS));
      return { name: `${HEAD}${hint}`, order: 1, beat: Math.min(this.beats[i] ?? 0, due) };
    });
    return [...changes, ...heads];
  }
  orderOf(name: string) {
    return name.startsWith(HEAD) || this.known.has(Number(name)) ? 1 : undefined;
  }
  bytesOf(name: string) {
    return name.startsWith(HEAD) ? undefined : Uint8Array.of(Number(name));
  }
  accept(bytes: Uint8Array) {
    const number = bytes[0] ?? 0;
    if (this.known.has(number)) return Promise.resolve(undefined);
    this.known.add(number);
    return Promise.resolve(`${number}`);
  }
  beatsOf(name: string) {
    return this.beats[this.#places.get(name.slice(HEAD.length)) ?? -1];
  }
  beatOf(hint: string): Beat | undefined {
    const index = this.beats[this.#places.get(hint) ?? -1] ?? 0;
    return index === 0 ? undefined : beatOf(hint, index);
  }
  acceptBeats(beats: readonly Beat[]) {
    const news = beats.filter(({ hint, index }) => {
      const place = this.#places.get(hint) ?? 0;
      if (index <= (this.beats[place] ?? 0)) return false;
      this.beats[place] = index;
      return true;
    });
    return Promise.resolve({ news, early: [], want: [], wrongSteps: 0 });
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

export function beatOf(hint: string, index: number): Beat {
  return { hint, sequence: 1, index, value: VALUE };
}

const VALUE = new Uint8Array(16);
