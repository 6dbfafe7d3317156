import type { Beat } from '../../core/beats/beat.ts';
import { hintOf } from '../../core/beats/beat.ts';
import { type BeatChain, type BeatPlan, createBeatChain } from '../../core/beats/chain.ts';
import { BEATS_LAST_MS, MAX_SKEW_MS } from '../../core/limits.ts';

export interface OwnBeatsOptions {
  /** This machine's key. */
  readonly key: string;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

interface OwnChain {
  readonly chain: BeatChain;
  readonly sequence: number;
  readonly issuedAtMs: number;
  last: number;
  /** The beat at which another machine had signed a newer head. */
  overruledAt: number | undefined;
}

/** The beats of this machine's newest head. */
export class OwnBeats {
  readonly #options: OwnBeatsOptions;
  #own: OwnChain | undefined;
  #isOver = false;

  constructor(options: OwnBeatsOptions) {
    this.#options = options;
  }

  /** Whether it takes a new head to go on. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A new head is signed. @returns what it says of its beats */
  begin(sequence: number, issuedAtMs: number, intervalMs: number): BeatPlan {
    const { key, randomBytes } = this.#options;
    // Heads say the interval in seconds.
    const wholeMs = Math.min(86_400, Math.max(1, Math.round(intervalMs / 1000))) * 1000;
    const count = Math.ceil(BEATS_LAST_MS / wholeMs);
    const chain = createBeatChain({ key, seed: randomBytes(16), intervalMs: wholeMs, count });
    this.#own = { chain, sequence, issuedAtMs, last: 0, overruledAt: undefined };
    this.#isOver = false;
    return chain.plan;
  }

  /** The head does not count any more. @param needsNew false for a node that is going */
  end(needsNew = true): void {
    this.#own = undefined;
    this.#isOver = needsNew;
  }

  /**
   * Another machine with this key has signed a newer head. A beat of later than that tells everyone; then it takes a new head to be heard again.
   * @param isNoticed whether the latest beat was late enough
   */
  overruled(isNoticed: boolean): void {
    if (this.#own === undefined) return;
    const { last, overruledAt = last, chain } = this.#own;
    this.#own.overruledAt = overruledAt;
    const sinceMs = (last - overruledAt) * chain.plan.intervalMs;
    if (isNoticed || sinceMs > MAX_SKEW_MS + chain.plan.intervalMs) this.end();
  }

  /** @returns the beat whose time has come; undefined when there is none, or the chain has ended */
  due(): Beat | undefined {
    const own = this.#own;
    if (own === undefined) return undefined;
    const { chain, sequence, issuedAtMs, last } = own;
    const { intervalMs, count } = chain.plan;
    const nowMs = this.#options.wallMs();
    const index = Math.floor((nowMs - issuedAtMs) / intervalMs);
    // A clock that was set back would leave it silent until it is as late again.
    if (index > count || nowMs < issuedAtMs + last * intervalMs - MAX_SKEW_MS) {
      this.end();
      return undefined;
    }
    if (index <= last) return undefined;
    own.last = index;
    return { hint: hintOf(this.#options.key), sequence, index, value: chain.valueAt(index) };
  }
}
