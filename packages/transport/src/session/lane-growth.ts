import { Goodput, type Measured } from './goodput.ts';

/** How often to call `sample` while bulk data flows: some round trips of a long path, and yet 32 lanes within seconds. */
export const LANE_SAMPLE_MS = 500;
/** More lanes have to carry so much more than fewer did, and as much again as the samples of those lie apart. */
const LEAST_GAIN = 1.1;
const MOST_NOISE = 0.3;
/** One sample is enough, and a level is left out, when each new lane carries this part of what each old one does. */
const CLEAR_GAIN = 0.5;
/** The first number is measured until samples lie no further apart, or so long. */
const STEADY_NOISE = 0.2;
const STEADY_MS = 1_500;
/** Lanes that are opened at once: bringing one up costs both sides milliseconds of work and a burst of packets. */
const MOST_AT_ONCE = 16;
/** How long lanes may take to show what they carry: windows grow with the round trips. */
const PATIENCE_MS = 3_000;
/** How long lanes may take to open. What has not come by then is done without, or asked for again. */
const OPENING_MS = 4_000;
/** When a number that was good is questioned: after so long, or when it carries so little of what it did. */
const QUESTIONED_MS = 60_000;
const QUESTIONED_BELOW = 0.5;

export interface LaneGrowthOptions {
  /** The most lanes of the kind: 32 for native, 8 for werift, 16 for direct. */
  readonly max: number;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

export interface LaneSample {
  /** Lanes of the kind that are open now. */
  readonly lanes: number;
  /** What they have carried so far in both directions, those included that are closed by now. */
  readonly bytes: number;
  /** Whether bulk data flows, and as fast as the lanes let it. */
  readonly busy: boolean;
}

export type LaneChange = { readonly open: number } | { readonly close: number };

interface Level extends Measured {
  readonly lanes: number;
}

/**
 * How many lanes of a kind a peer should have. Where a path loses packets each connection carries little, and many carry
 * much; where the processor or the link is the limit, more of them only cost. Which it is shows when it is tried: their
 * number is doubled while goodput grows by it, then goes back to the best. Whether that is still the best is tried again
 * every minute, and at once when goodput falls by half.
 */
export class LaneGrowth {
  readonly #max: number;
  readonly #nowMs: () => number;
  readonly #goodput = new Goodput();
  #phase: 'measuring' | 'trying' | 'settled' = 'measuring';
  #phaseMs = 0;
  /** How many lanes there should be, and since when; undefined before the first sample. */
  #target: number | undefined;
  #targetMs = 0;
  /** Whether the target was reached at the sample before. The one at which it is reached is partly of the time before. */
  #isReached = false;
  /** What the best number carried when it was measured. */
  #best: Level = { lanes: 1, bytesPerSecond: 0, noise: 0 };
  /** The least number above the best that carried no more. */
  #declined: Level | undefined;
  #isRechecked = false;

  constructor({ max, nowMs }: LaneGrowthOptions) {
    this.#max = max;
    this.#nowMs = nowMs;
  }

  /**
   * Takes a reading and says what to change. Calls are best LANE_SAMPLE_MS apart, and need not be regular.
   *
   * @returns how many lanes to open or to close now; undefined for none
   */
  sample({ lanes, bytes, busy }: LaneSample): LaneChange | undefined {
    const rate = this.#goodput.read(bytes, this.#nowMs());
    this.#target ??= lanes;
    // Time without bulk data tells nothing.
    if (!busy || rate === undefined) return this.#beginAnew();
    if (lanes !== this.#target) return this.#whileAbsent(lanes, this.#target);
    if (!this.#isReached) return this.#arrive();
    this.#goodput.keep(rate);
    if (this.#phase === 'measuring') return this.#measure(lanes);
    return this.#phase === 'trying' ? this.#judge(lanes) : this.#watch(lanes);
  }

  #beginAnew(): undefined {
    this.#goodput.restart();
    this.#isReached = false;
  }

  #arrive(): undefined {
    this.#isReached = true;
    if (this.#phase !== 'settled') this.#phaseMs = this.#nowMs();
  }

  /** Lanes are still opening or closing, or were lost. */
  #whileAbsent(lanes: number, target: number): LaneChange | undefined {
    this.#beginAnew();
    if (this.#nowMs() - this.#targetMs < OPENING_MS) return undefined;
    if (this.#phase !== 'trying') return this.#aim(target, lanes);
    if (lanes <= this.#best.lanes) return this.#settle(lanes);
    this.#target = lanes;
    return undefined;
  }

  /** How much the first number carries, which is nothing that others could be compared with while it still rises. */
  #measure(lanes: number): LaneChange | undefined {
    const { measured } = this.#goodput;
    if (measured === undefined) return undefined;
    if (measured.noise > STEADY_NOISE && this.#inPhaseMs < STEADY_MS) return undefined;
    this.#best = { lanes, ...measured };
    return this.#try(lanes * 2, lanes);
  }

  /** Whether the number that is tried is better than the best so far. */
  #judge(lanes: number): LaneChange | undefined {
    const { newest = 0, measured } = this.#goodput;
    const factor = lanes / this.#best.lanes;
    const enough = enoughOver(this.#best);
    const isClear = newest >= enough && newest >= this.#best.bytesPerSecond * (1 + CLEAR_GAIN * (factor - 1));
    // After a jump only clear growth counts: what is less may be more at the level that was left out.
    if (isClear || (factor <= 2 && measured !== undefined && measured.least >= enough)) {
      this.#best = { lanes, ...(measured ?? { bytesPerSecond: newest, noise: this.#best.noise }) };
      return this.#try(lanes * (isClear ? 4 : 2), lanes);
    }
    if (measured === undefined || this.#inPhaseMs < PATIENCE_MS) return undefined;
    this.#declined = { lanes, ...measured };
    return factor > 2 ? this.#try(this.#best.lanes * 2, lanes) : this.#settle(lanes);
  }

  /** Whether the best number is still what it was. */
  #watch(lanes: number): LaneChange | undefined {
    const { measured } = this.#goodput;
    if (measured === undefined) return undefined;
    const declined = this.#declined;
    if (!this.#isRechecked && declined !== undefined) {
      this.#isRechecked = true;
      // A connection's first seconds may be its best. If they were, what was declined is compared with a time that is over.
      if (declined.bytesPerSecond >= enoughOver(measured)) {
        this.#best = { lanes, ...measured };
        this.#declined = undefined;
        return this.#try(declined.lanes, lanes);
      }
    }
    const isLess = measured.most < this.#best.bytesPerSecond * QUESTIONED_BELOW;
    if (!isLess && this.#inPhaseMs < QUESTIONED_MS) return undefined;
    this.#declined = undefined;
    this.#isRechecked = false;
    this.#enter('measuring');
    this.#goodput.restart();
    return undefined;
  }

  #try(wanted: number, lanes: number): LaneChange | undefined {
    const next = Math.min(wanted, lanes + MOST_AT_ONCE, this.#max);
    const declined = this.#declined;
    const isKnown =
      declined !== undefined && next >= declined.lanes && declined.bytesPerSecond < enoughOver(this.#best);
    if (next <= this.#best.lanes || isKnown) return this.#settle(lanes);
    this.#enter('trying');
    return this.#aim(next, lanes);
  }

  #settle(lanes: number): LaneChange | undefined {
    this.#enter('settled');
    return this.#aim(this.#best.lanes, lanes);
  }

  #enter(phase: 'measuring' | 'trying' | 'settled'): void {
    this.#phase = phase;
    this.#phaseMs = this.#nowMs();
  }

  get #inPhaseMs(): number {
    return this.#nowMs() - this.#phaseMs;
  }

  #aim(target: number, lanes: number): LaneChange | undefined {
    this.#target = target;
    this.#targetMs = this.#nowMs();
    if (target === lanes) return undefined;
    this.#beginAnew();
    return target > lanes ? { open: target - lanes } : { close: lanes - target };
  }
}

/** What more lanes have to carry to be worth having. */
function enoughOver({ bytesPerSecond, noise }: Measured): number {
  return bytesPerSecond * (LEAST_GAIN + Math.min(noise, MOST_NOISE));
}
