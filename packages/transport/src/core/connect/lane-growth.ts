import { Goodput, type Measured } from './goodput.ts';

/** How often to call `sample` while bulk data flows: some round trips of a long path, and yet 32 lanes within seconds. */
export const LANE_SAMPLE_MS = 500;
/** More lanes have to carry so much more than fewer did. */
const LEAST_GAIN = 1.1;
/** Fewer lanes that carry this part of what more of them do are as good. */
const AS_GOOD = 0.95;
/** A step that is smaller shows nothing. */
const WORTH_A_TRY = 1.25;
/** Growth is clear, and a level is left out, when each new lane carries this part of what each old one does. */
const CLEAR_GAIN = 0.5;
/**
 * A lane that carries less than this is slowed by the path: no processor is so slow. Its samples vary by whole messages and
 * by each lost packet, so only a large step shows anything.
 */
const SLOW_LANE_BYTES_PER_SECOND = 2_000_000;
const SLOW_LANE_STEP = 8;
/** Where the processor is the limit a lane carries at least this, be its engine as slow as it may. */
const BOUND_LANE_BYTES_PER_SECOND = 5_000_000;
/** Of many lanes this part stays when it is first looked whether fewer are as good, as it costs what the others carry. */
const MANY_LANES = 8;
const STAYING_OF_MANY = 0.75;
/** Lanes that are opened at once: bringing one up costs both sides milliseconds of work and a burst of packets. */
const MOST_AT_ONCE = 28;
/** A number is measured until its error is so small a part, or for so many samples. */
const STEADY_ERROR = 0.1;
const STEADY_SAMPLES = 4;
/** How long it may stay open whether a number is better. */
const PATIENCE_MS = 5_000;
/** How long lanes may take to open. What has not come by then is done without, or asked for again. */
const OPENING_MS = 4_000;
/** The same for the last of them, once most are there. */
const MOST_OPENING_MS = 1_500;
const MOST_OF_THEM = 0.7;
/** When a number that was good is questioned: after so long, at once when it carries half of what it did, or soon when less. */
const QUESTIONED_MS = 60_000;
const HALF = 0.5;
const SOON_MS = 5_000;
const LESS = 0.8;

export interface LaneGrowthOptions {
  /** The most lanes of the kind: 32 for native, 8 for werift, 16 for direct. */
  readonly max: number;
  /** A lane that carries so much, in bytes a second, needs no other beside it; without it, that is tried. */
  readonly enough?: number | undefined;
  /** With how many to begin, before anything is measured; 1 when left out. */
  readonly first?: number | undefined;
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
 * much; where the processor or the link is the limit, more of them only cost. Which it is shows when it is tried. Their
 * number grows while goodput does, and while each of them carries so little that the path must be what slows it. Then it
 * shrinks again as long as fewer carry as much: a connection's first seconds may be its best, so that more lanes can seem
 * worse than fewer were, and only what fewer carry afterwards tells. Whether the number is still good is tried again every
 * minute, and when goodput has fallen. docs/decisions/how-many-lanes.md has the measurements.
 */
export class LaneGrowth {
  readonly #max: number;
  readonly #enough: number;
  readonly #first: number;
  readonly #nowMs: () => number;
  readonly #goodput = new Goodput();
  #phase: 'measuring' | 'trying' | 'shrinking' | 'settled' = 'measuring';
  #phaseMs = 0;
  /** How many lanes there should be, and since when; undefined before the first sample. */
  #target: number | undefined;
  #targetMs = 0;
  /** Whether the target was reached at the sample before. The one at which it is reached is partly of the time before. */
  #isReached = false;
  /** The best number so far, and what it carried when it was measured. */
  #best: Level = { lanes: 1, bytesPerSecond: 0, error: 0, samples: 0 };
  /** The number from which it is shrinking, and what that carried. */
  #more: Level = this.#best;

  constructor({ max, enough = Number.POSITIVE_INFINITY, first = 1, nowMs }: LaneGrowthOptions) {
    this.#max = max;
    this.#enough = enough;
    this.#first = Math.min(first, max);
    this.#nowMs = nowMs;
  }

  /**
   * Takes a reading and says what to change. Calls are best LANE_SAMPLE_MS apart, and need not be regular.
   *
   * @returns how many lanes to open or to close now; undefined for none
   */
  sample({ lanes, bytes, busy, cpuBound = false }: LaneSample): LaneChange | undefined {
    const rate = this.#goodput.read(bytes, this.#nowMs());
    // Time without bulk data tells nothing.
    if (!busy) return this.#beginAnew();
    if (this.#target === undefined) return this.#aim(Math.max(lanes, this.#first), lanes);
    if (rate === undefined) return this.#beginAnew();
    if (lanes !== this.#target) return this.#whileAbsent(lanes, this.#target);
    if (!this.#isReached) return this.#arrive();
    this.#goodput.keep(rate);
    const { measured } = this.#goodput;
    if (measured === undefined) return undefined;
    const level = { lanes, ...measured };
    const isFull = cpuBound && measured.bytesPerSecond >= lanes * BOUND_LANE_BYTES_PER_SECOND;
    switch (this.#phase) {
      case 'measuring':
        return this.#measure(level, isFull);
      case 'trying':
        return this.#judge(level, isFull);
      case 'shrinking':
        return this.#compare(level);
      case 'settled':
        return this.#watch(level);
    }
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
    const passedMs = this.#nowMs() - this.#targetMs;
    // Those with which it begins are as new as those that are tried.
    const isTrying = this.#phase === 'trying' || this.#best.samples === 0;
    // The last of many may take seconds where packets are lost, and what most of them carry tells enough.
    const areMost = isTrying && lanes > this.#best.lanes && lanes >= target * MOST_OF_THEM;
    if (passedMs < (areMost ? MOST_OPENING_MS : OPENING_MS)) return undefined;
    if (!isTrying) return this.#aim(target, lanes);
    if (lanes <= this.#best.lanes && this.#best.samples > 0) return this.#settle(lanes);
    this.#target = lanes;
    return undefined;
  }

  /** What the first number carries, which others are compared with. */
  #measure(level: Level, isFull: boolean): LaneChange | undefined {
    const { lanes, bytesPerSecond, error } = level;
    if (!isSteady(level) && !areSlow(lanes, bytesPerSecond + error)) return undefined;
    this.#best = level;
    // More lanes would only share the processor, and trying them takes from it.
    if (isFull || bytesPerSecond >= lanes * this.#enough) return this.#settle(lanes);
    return this.#try(lanes * (areSlow(lanes, bytesPerSecond) ? SLOW_LANE_STEP : 2), lanes);
  }

  /** Whether to go on from the number that is tried, or back. */
  #judge(level: Level, isFull: boolean): LaneChange | undefined {
    const { lanes, bytesPerSecond, error, samples } = level;
    const factor = lanes / this.#best.lanes;
    const { gain, error: errorOfGain } = gainOf(level, this.#best);
    if (gain > errorOfGain && bytesPerSecond >= this.#best.bytesPerSecond * (1 + CLEAR_GAIN * (factor - 1))) {
      this.#best = level;
      return this.#try(lanes * 4, lanes);
    }
    // What fewer lanes carried before may be of a time that is over; each of these is slow now.
    if (!isFull && this.#max >= lanes * WORTH_A_TRY && areSlow(lanes, bytesPerSecond + error)) {
      return this.#try(lanes * SLOW_LANE_STEP, lanes);
    }
    const isOver = this.#nowMs() - this.#phaseMs >= PATIENCE_MS;
    // After a jump of lanes that are not slow only clear growth counts: the level that was left out may carry more.
    const isBetter = gain > (isOver ? 0 : errorOfGain) && samples > 2;
    if (isBetter && (factor <= 2 || areSlow(lanes, bytesPerSecond))) {
      this.#best = level;
      return this.#try(lanes * 2, lanes);
    }
    if (!isOver && (gain >= -errorOfGain || samples < STEADY_SAMPLES)) return undefined;
    return this.#shrink(level, lanes > MANY_LANES ? STAYING_OF_MANY : 0.5);
  }

  /** Whether fewer lanes carry as much as more of them did just before. */
  #compare(level: Level): LaneChange | undefined {
    if (!isSteady(level)) return undefined;
    const more = this.#more;
    const less = more.bytesPerSecond * AS_GOOD - level.bytesPerSecond;
    if (less > Math.hypot(more.error, level.error)) this.#best = more;
    else if (level.lanes > this.#best.lanes) return this.#shrink(level, 0.5);
    else this.#best = level;
    return this.#settle(level.lanes);
  }

  /** Whether the number is still as good as it was. */
  #watch(level: Level): LaneChange | undefined {
    if (level.samples < STEADY_SAMPLES) return undefined;
    const settledMs = this.#nowMs() - this.#phaseMs;
    const part = level.bytesPerSecond / this.#best.bytesPerSecond;
    const isQuestioned = part < HALF || (part < LESS && settledMs >= SOON_MS) || settledMs >= QUESTIONED_MS;
    if (!isQuestioned) return undefined;
    this.#enter('measuring');
    this.#goodput.restart();
    return undefined;
  }

  #try(wanted: number, lanes: number): LaneChange | undefined {
    const next = Math.min(wanted, lanes + MOST_AT_ONCE, this.#max);
    if (next < lanes * WORTH_A_TRY) return this.#settle(lanes);
    this.#enter('trying');
    return this.#aim(next, lanes);
  }

  /** @param staying the part of the lanes that is kept */
  #shrink(level: Level, staying: number): LaneChange | undefined {
    this.#more = level;
    this.#enter('shrinking');
    const { lanes } = level;
    return this.#aim(Math.max(this.#best.lanes, Math.ceil(lanes * staying)), lanes);
  }

  #settle(lanes: number): LaneChange | undefined {
    this.#enter('settled');
    return this.#aim(this.#best.lanes, lanes);
  }

  #enter(phase: 'measuring' | 'trying' | 'shrinking' | 'settled'): void {
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

function isSteady({ bytesPerSecond, error, samples }: Level): boolean {
  return error <= bytesPerSecond * STEADY_ERROR || samples >= STEADY_SAMPLES;
}

function areSlow(lanes: number, bytesPerSecond: number): boolean {
  return bytesPerSecond < lanes * SLOW_LANE_BYTES_PER_SECOND;
}

/** By how much more lanes carry more than they must to be worth having, and how wrong that may be. */
function gainOf(more: Measured, fewer: Measured): { readonly gain: number; readonly error: number } {
  return {
    gain: more.bytesPerSecond - LEAST_GAIN * fewer.bytesPerSecond,
    error: Math.hypot(more.error, LEAST_GAIN * fewer.error),
  };
}
