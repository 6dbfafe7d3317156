import { Goodput, type Measured } from './goodput.ts';
import { LANE_GROWTH as SETTINGS } from './lane-growth-settings.ts';

export interface LaneGrowthOptions {
  /** The most lanes of the kind: 32 for native, 8 for werift, 16 for direct. */
  readonly max: number;
  /** A lane that carries this much, in bytes a second, needs no other; without it, more lanes are always tried. */
  readonly enough?: number | undefined;
  /** How many lanes to start with, before anything is measured; 1 when left out. */
  readonly first?: number | undefined;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

export interface LaneSample {
  /** Lanes of the kind that are open now. */
  readonly lanes: number;
  /** Bytes carried so far in both directions, closed lanes included. */
  readonly bytes: number;
  /** Whether bulk data flows as fast as the lanes allow. */
  readonly busy: boolean;
  /** Whether this machine's processors were the bottleneck since the last sample. */
  readonly cpuBound?: boolean | undefined;
  /** Whether no loss on the path could make a lane slow, so that a slow one is as fast as the other side sends. */
  readonly isShort?: boolean | undefined;
}

export type LaneChange = { readonly open: number } | { readonly close: number };

interface Level extends Measured {
  readonly lanes: number;
  readonly isShort: boolean;
}

/** Before anything is measured. */
const NOTHING: Level = { lanes: 1, bytesPerSecond: 0, error: 0, samples: 0, isShort: false };

/**
 * Decides how many lanes of a kind a peer should have. On a lossy path each connection carries little, and many carry
 * much; where the processor or the link is the limit, more of them only cost. Only trying tells which is the case. The
 * number grows while goodput does, and while each lane carries so little that the path must be slowing it. Then it
 * shrinks again as long as fewer lanes carry as much: a connection's first seconds may be its best, so that more lanes can look
 * worse than fewer did, and only a later measurement of fewer lanes tells. The number is tried again every
 * minute, and when goodput falls. docs/decisions/how-many-lanes.md has the measurements.
 */
export class LaneGrowth {
  #max: number;
  readonly #enough: number;
  readonly #first: number;
  readonly #nowMs: () => number;
  readonly #goodput = new Goodput();
  #phase: 'measuring' | 'trying' | 'shrinking' | 'settled' = 'measuring';
  #phaseMs = 0;
  /** The wanted number of lanes, and since when; undefined before the first sample. */
  #target: number | undefined;
  #targetMs = 0;
  /** Whether the target was reached by the previous sample. The sample that reaches it covers some time before. */
  #isReached = false;
  /** The best number so far, and what it carried when it was measured. */
  #best: Level = NOTHING;
  /** The number before shrinking, and what it carried. */
  #more: Level = this.#best;

  constructor({ max, enough = Number.POSITIVE_INFINITY, first = 1, nowMs }: LaneGrowthOptions) {
    this.#max = max;
    this.#enough = enough;
    this.#first = Math.min(first, max);
    this.#nowMs = nowMs;
  }

  /** The most lanes from now on. */
  set max(max: number) {
    this.#max = max;
  }

  /**
   * Takes a reading and says what to change. Calls are best `sampleMs` apart, and need not be regular.
   *
   * @returns how many lanes to open or to close now; undefined for none
   */
  sample({ lanes, bytes, busy, cpuBound = false, isShort = false }: LaneSample): LaneChange | undefined {
    const rate = this.#goodput.read(bytes, this.#nowMs());
    // Time without bulk data tells nothing.
    if (!busy) return this.#beginAnew();
    if (this.#target === undefined) return this.#aim(Math.max(lanes, this.#first), lanes);
    if (rate === undefined) return this.#beginAnew();
    if (this.#target > this.#max) return this.#lower(lanes);
    if (lanes !== this.#target) return this.#whileAbsent(lanes, this.#target);
    if (!this.#isReached) return this.#arrive();
    this.#goodput.keep(rate);
    const { measured } = this.#goodput;
    if (measured === undefined) return undefined;
    const level = { lanes, isShort, ...measured };
    const isFull = cpuBound && measured.bytesPerSecond >= lanes * SETTINGS.cpuBoundLaneBytesPerSecond;
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

  /** Fewer may be open than before: what they carry is measured anew. */
  #lower(lanes: number): LaneChange | undefined {
    this.#enter('measuring');
    this.#best = NOTHING;
    return this.#aim(this.#max, lanes);
  }

  #arrive(): undefined {
    this.#isReached = true;
    if (this.#phase !== 'settled') this.#phaseMs = this.#nowMs();
  }

  /** Lanes are still opening or closing, or were lost. */
  #whileAbsent(lanes: number, target: number): LaneChange | undefined {
    this.#beginAnew();
    const passedMs = this.#nowMs() - this.#targetMs;
    // The first lanes are as new as those that are tried later.
    const isTrying = this.#phase === 'trying' || this.#best.samples === 0;
    // On a lossy path the last lanes may take seconds to open; most of them tell enough.
    const areMost = isTrying && lanes > this.#best.lanes && lanes >= target * SETTINGS.mostPart;
    if (passedMs < (areMost ? SETTINGS.mostOpeningMs : SETTINGS.openingMs)) return undefined;
    if (!isTrying) return this.#aim(target, lanes);
    if (lanes <= this.#best.lanes && this.#best.samples > 0) return this.#settle(lanes);
    this.#target = lanes;
    return undefined;
  }

  /** Measures the first number, which later ones are compared with. */
  #measure(level: Level, isFull: boolean): LaneChange | undefined {
    const { lanes, bytesPerSecond, error } = level;
    if (!isSteady(level) && !areSlow(lanes, bytesPerSecond + error)) return undefined;
    this.#best = level;
    // More lanes would only share the processor, or the rate of the other side, and trying them costs both sides.
    const isShared = isFull || (level.isShort && areSlow(lanes, bytesPerSecond));
    if (isShared || bytesPerSecond >= lanes * this.#enough) return this.#settle(lanes);
    return this.#try(lanes * (isPathSlow(level) ? SETTINGS.slowLaneStep : 2), lanes);
  }

  /** Decides whether to go on from the number that is tried, or back. */
  #judge(level: Level, isFull: boolean): LaneChange | undefined {
    const { lanes, bytesPerSecond, samples } = level;
    const factor = lanes / this.#best.lanes;
    const { gain, error: errorOfGain } = gainOf(level, this.#best);
    if (
      gain > errorOfGain &&
      bytesPerSecond >= this.#best.bytesPerSecond * (1 + SETTINGS.clearGainPerLane * (factor - 1))
    ) {
      this.#best = level;
      return this.#try(lanes * 4, lanes);
    }
    // What fewer lanes carried may be out of date; each lane is slow now.
    if (!isFull && this.#max >= lanes * SETTINGS.minStep && isPathSlow(level, level.error)) {
      return this.#try(lanes * SETTINGS.slowLaneStep, lanes);
    }
    const isOver = this.#nowMs() - this.#phaseMs >= SETTINGS.patienceMs;
    // After a large step without slow lanes only clear growth counts: a number in between may carry more.
    const isBetter = gain > (isOver ? 0 : errorOfGain) && samples > 2;
    if (isBetter && (factor <= 2 || isPathSlow(level))) {
      this.#best = level;
      return this.#try(lanes * 2, lanes);
    }
    if (!isOver && (gain >= -errorOfGain || samples < SETTINGS.steadySamples)) return undefined;
    return this.#shrink(level, lanes > SETTINGS.manyLanes ? SETTINGS.stayingOfMany : 0.5);
  }

  /** Compares fewer lanes with the larger number just before. */
  #compare(level: Level): LaneChange | undefined {
    if (!isSteady(level)) return undefined;
    const more = this.#more;
    const less = more.bytesPerSecond * SETTINGS.equalPart - level.bytesPerSecond;
    if (less > Math.hypot(more.error, level.error)) this.#best = more;
    else if (level.lanes > this.#best.lanes) return this.#shrink(level, 0.5);
    else this.#best = level;
    return this.#settle(level.lanes);
  }

  /** Watches whether the number is still good. */
  #watch(level: Level): LaneChange | undefined {
    if (level.samples < SETTINGS.steadySamples) return undefined;
    const settledMs = this.#nowMs() - this.#phaseMs;
    const part = level.bytesPerSecond / this.#best.bytesPerSecond;
    const isQuestioned =
      part < SETTINGS.collapsedPart ||
      (part < SETTINGS.declinedPart && settledMs >= SETTINGS.declinedMs) ||
      settledMs >= SETTINGS.retryMs;
    if (!isQuestioned) return undefined;
    this.#enter('measuring');
    this.#goodput.restart();
    return undefined;
  }

  #try(wanted: number, lanes: number): LaneChange | undefined {
    const next = Math.min(wanted, lanes + SETTINGS.maxOpeningAtOnce, this.#max);
    if (next < lanes * SETTINGS.minStep) return this.#settle(lanes);
    this.#enter('trying');
    return this.#aim(next, lanes);
  }

  /** @param staying the fraction of lanes to keep */
  #shrink(level: Level, staying: number): LaneChange | undefined {
    this.#more = level;
    this.#enter('shrinking');
    const { lanes } = level;
    return this.#aim(Math.max(this.#best.lanes, Math.ceil(lanes * staying)), lanes);
  }

  #settle(lanes: number): LaneChange | undefined {
    this.#enter('settled');
    return this.#aim(Math.min(this.#best.lanes, this.#max), lanes);
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
  return error <= bytesPerSecond * SETTINGS.steadyError || samples >= SETTINGS.steadySamples;
}

function areSlow(lanes: number, bytesPerSecond: number): boolean {
  return bytesPerSecond < lanes * SETTINGS.slowLaneBytesPerSecond;
}

/** @param error - how much more they may carry than was measured */
function isPathSlow({ lanes, bytesPerSecond, isShort }: Level, error = 0): boolean {
  return !isShort && areSlow(lanes, bytesPerSecond + error);
}

/** How far more lanes exceed the gain that makes them worthwhile, and the error of that. */
function gainOf(more: Measured, fewer: Measured): { readonly gain: number; readonly error: number } {
  return {
    gain: more.bytesPerSecond - SETTINGS.minGain * fewer.bytesPerSecond,
    error: Math.hypot(more.error, SETTINGS.minGain * fewer.error),
  };
}
