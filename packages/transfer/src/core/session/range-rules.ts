import { deciderOf, isRange, type Layout } from '../layout/layout.ts';
import { MAX_FILE_TRIALS } from '../limits.ts';
import type { ChunkRules } from '../schedule/chunk-rules.ts';

/** A file or span that came wrong: from now on a single origin is asked for all its ranges, so that it is clear who is to blame. */
interface Trial {
  /** How often it came wrong. */
  times: number;
  /** The origin that is asked; undefined while there is none to ask. */
  only: string | undefined;
  /** How often each origin gave all of it, and gave it wrong, ... */
  readonly blamed: Map<string, number>;
  /** ... and how often it was one of several that gave it wrong. */
  readonly suspected: Map<string, number>;
}

/** What follows from a wrong file or span. */
export interface WrongWhole {
  /** Who gave all of its ranges; undefined when several did, or an earlier run fetched some. */
  readonly culprit: string | undefined;
  /** Nobody is left to fetch it from, or it came wrong too often. */
  readonly isHopeless: boolean;
}

/**
 * Which origins may be asked for which ranges. A range alone cannot be verified, so this remembers who gave which until the
 * hash of its file or span is known. Pure, like the schedule.
 */
export class RangeRules implements ChunkRules {
  readonly #layout: Layout;
  /** By id: the number of the origin that gave the range; 0 when that is not known, as after a restart. */
  readonly #givers: Uint16Array;
  readonly #origins = [''];
  readonly #trials = new Map<number, Trial>();
  /** Sources that find chunks by their digests alone. */
  readonly #byDigest = new Set<number>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#givers = new Uint16Array(layout.sizes.length);
  }

  /** The source can give no ranges. */
  needsDigests(source: number): void {
    this.#byDigest.add(source);
  }

  givesRanges(source: number): boolean {
    return !this.#byDigest.has(source);
  }

  mayAsk(id: number, { number, origin }: { readonly number: number; readonly origin: string }): boolean {
    if (!isRange(this.#layout, id)) return true;
    if (this.#byDigest.has(number)) return false;
    const trial = this.#trials.size === 0 ? undefined : this.#trials.get(deciderOf(this.#layout, id));
    return trial?.only === undefined || trial.only === origin;
  }

  /** The range is in the files, as this origin gave it. */
  gave(id: number, origin: string): void {
    if (!isRange(this.#layout, id)) return;
    let number = this.#origins.indexOf(origin);
    if (number === -1) number = this.#origins.push(origin) - 1;
    this.#givers[id] = number;
  }

  /**
   * The hash of a file or span is wrong; its ranges are fetched again.
   * @param whole - the number of the file or span: see `deciderOf`
   * @param able - the origins that could give ranges now
   */
  wrong(whole: number, ranges: readonly number[], able: ReadonlySet<string>): WrongWhole {
    const trial = this.#trials.get(whole) ?? { times: 0, only: undefined, blamed: new Map(), suspected: new Map() };
    this.#trials.set(whole, trial);
    trial.times++;
    const givers = new Set(ranges.map((id) => this.#givers[id] ?? 0));
    for (const id of ranges) this.#givers[id] = 0;
    const origins = [...givers].map((number) => this.#origins[number] ?? '').filter((origin) => origin !== '');
    const culprit = givers.size === 1 ? origins[0] : undefined;
    const counts = culprit === undefined ? trial.suspected : trial.blamed;
    for (const origin of origins) counts.set(origin, (counts.get(origin) ?? 0) + 1);
    this.#choose(trial, able);
    // The only origin may have been the victim of a damaged connection: ask it once more.
    const mayFail = able.size === 1 ? 1 : 0;
    const isBlamed = trial.only !== undefined && (trial.blamed.get(trial.only) ?? 0) > mayFail;
    return { culprit, isHopeless: isBlamed || trial.times >= MAX_FILE_TRIALS };
  }

  /** The origin gives nothing now: others are asked for what only it was asked for. @param able - the origins that are left */
  gone(origin: string, able: ReadonlySet<string>): void {
    for (const trial of this.#trials.values()) if (trial.only === origin) this.#choose(trial, able);
  }

  /** The origin that is most likely to be honest. */
  #choose(trial: Trial, able: ReadonlySet<string>): void {
    const doubts = (origin: string): [number, number] => [
      trial.blamed.get(origin) ?? 0,
      trial.suspected.get(origin) ?? 0,
    ];
    const [best] = [...able].sort((a, b) => {
      const [[blamedA, suspectedA], [blamedB, suspectedB]] = [doubts(a), doubts(b)];
      return blamedA - blamedB || suspectedA - suspectedB;
    });
    trial.only = best;
  }
}
