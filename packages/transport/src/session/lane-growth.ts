import { Goodput, type Measured } from './goodput.ts';

/** How often to call `sample` while bulk data flows: some round trips of a long path, and yet 32 lanes within seconds. */
export const LANE_SAMPLE_MS = 500;
/** More lanes have to carry so much more than fewer did. */
const LEAST_GAIN = 1.1;
/** Growth is clear, and a level is left out, when each new lane carries this part of what each old one does. */
const CLEAR_GAIN = 0.5;
/**
 * A lane that carries less than this is slowed by the path: no processor is so slow. Its samples vary by whole messages and
 * by each lost packet, so only a large step shows anything.
 */
const SLOW_LANE_BYTES_PER_SECOND = 2_000_000;
const SLOW_LANE_STEP = 8;
/** Lanes that are opened at once: bringing one up costs both sides milliseconds of work and a burst of packets. */
const MOST_AT_ONCE = 24;
/** The first number is measured until its error is so small a part, or for so many samples. */
const STEADY_ERROR = 0.1;
const STEADY_SAMPLES = 4;
/** Less than this is too soon to say that lanes carry nothing: windows grow with the round trips. */
const DECLINING_SAMPLES = 4;
/** How long it may stay open whether a number is better. */
const PATIENCE_MS = 5_000;
/** How long lanes may take to open. What has not come by then is done without, or asked for again. */
const OPENING_MS = 4_000;
/** When a number that was good is questioned: after so long, or when it carries so little of what it did. */
const QUESTIONED_MS = 60_000;
const QUESTIONED_BELOW = 0.5;

export interface LaneGrowthOptions {
  /** The most lanes of the kind: 32 for native, 8 for werift, 16 for direct. */
  readonly max: number;
  /** A lane that carries so much, in bytes a second, needs no other beside it; without it, that is tried. */
  readonly enough?: number | undefined;
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
  /** Whether the processor of this machine had next to nothing left since the sample before. */
  readonly cpuBound?: boolean | undefined;
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
  readonly #enough: number;
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
  #best: Level = { lanes: 1, bytesPerSecond: 0, error: 0, samples: 0 };
  /** The least number above the best that carried no more. */
  #declined: Level | undefined;
  #isRechecked = false;

  constructor({ max, enough = Number.POSITIVE_INFINITY, nowMs }: LaneGrowthOptions) {
    this.#max = max;
    this.#enough = enough;
    this.#nowMs = nowMs;
  }

  /**
   * Takes a reading and says what to change. Calls are best LANE_SAMPLE_MS apart, and need not be regular.
   *
   * @returns how many lanes to open or to close now; undefined for none
   */
  sample({ lanes, bytes, busy, cpuBound = false }: LaneSample): LaneChange | undefined {
    const rate = this.#goodput.read(bytes, this.#nowMs());
    this.#target ??= lanes;
    // Time without bulk data tells nothing.
    if (!busy || rate === undefined) return this.#beginAnew();
    if (lanes !== this.#target) return this.#whileAbsent(lanes, this.#target);
    if (!this.#isReached) return this.#arrive();
    this.#goodput.keep(rate);
    const { measured } = this.#goodput;
    if (measured === undefined) return undefined;
    const level = { lanes, ...measured };
    if (this.#phase === 'measuring') return this.#measure(level, cpuBound);
    return this.#phase === 'trying' ? this.#judge(level) : this.#watch(level);
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

  /** What the first number carries, which others are compared with. */
  #measure(level: Level, cpuBound: boolean): LaneChange | undefined {
    const { lanes, bytesPerSecond, error, samples } = level;
    if (error > bytesPerSecond * STEADY_ERROR && samples < STEADY_SAMPLES) return undefined;
    this.#best = level;
    // More lanes would only share the processor, and trying them takes from it.
    if (cpuBound || bytesPerSecond >= lanes * this.#enough) return this.#settle(lanes);
    const isSlow = bytesPerSecond < lanes * SLOW_LANE_BYTES_PER_SECOND;
    return this.#try(lanes * (isSlow ? SLOW_LANE_STEP : 2), lanes);
  }

  /** Whether the number that is tried is better than the best so far. */
  #judge(level: Level): LaneChange | undefined {
    const { lanes, bytesPerSecond, samples } = level;
    const factor = lanes / this.#best.lanes;
    const { gain, error } = gainOf(level, this.#best);
    if (gain > error && bytesPerSecond >= this.#best.bytesPerSecond * (1 + CLEAR_GAIN * (factor - 1))) {
      this.#best = level;
      return this.#try(lanes * 4, lanes);
    }
    const isOver = this.#nowMs() - this.#phaseMs >= PATIENCE_MS;
    // After a jump only clear growth counts: what is less may be more at the level that was left out.
    if (factor <= 2 && gain > (isOver ? 0 : error) && samples > 2) {
      this.#best = level;
      return this.#try(lanes * 2, lanes);
    }
    if (!isOver && (gain >= -error || samples < DECLINING_SAMPLES)) return undefined;
    this.#declined = level;
    return factor > 2 ? this.#try(this.#best.lanes * 2, lanes) : this.#settle(lanes);
  }

  /** Whether the best number is still what it was. */
  #watch(level: Level): LaneChange | undefined {
    if (level.samples < STEADY_SAMPLES) return undefined;
    const declined = this.#declined;
    if (!this.#isRechecked && declined !== undefined) {
      this.#isRechecked = true;
      // A connection's first seconds may be its best. If they were, what was declined is compared with a time that is over.
      const { gain, error } = gainOf(declined, level);
      if (gain > error) {
        this.#best = level;
        this.#declined = undefined;
        return this.#try(declined.lanes, level.lanes);
      }
    }
    const isLess = level.bytesPerSecond < this.#best.bytesPerSecond * QUESTIONED_BELOW;
    if (!isLess && this.#nowMs() - this.#phaseMs < QUESTIONED_MS) return undefined;
    this.#declined = undefined;
    this.#isRechecked = false;
    this.#enter('measuring');
    this.#goodput.restart();
    return undefined;
  }

  #try(wanted: number, lanes: number): LaneChange | undefined {
    const next = Math.min(wanted, lanes + MOST_AT_ONCE, this.#max);
    const declined = this.#declined;
    const isKnown = declined !== undefined && next >= declined.lanes && gainOf(declined, this.#best).gain <= 0;
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

  #aim(target: number, lanes: number): LaneChange | undefined {
    this.#target = target;
    this.#targetMs = this.#nowMs();
    if (target === lanes) return undefined;
    this.#beginAnew();
    return target > lanes ? { open: target - lanes } : { close: lanes - target };
  }
}

/** By how much more lanes carry more than they must to be worth having, and how wrong that may be. */
function gainOf(more: Measured, fewer: Measured): { readonly gain: number; readonly error: number } {
  return {
    gain: more.bytesPerSecond - LEAST_GAIN * fewer.bytesPerSecond,
    error: Math.hypot(more.error, LEAST_GAIN * fewer.error),
  };
}
