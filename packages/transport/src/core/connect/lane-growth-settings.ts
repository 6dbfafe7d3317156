/** What decides how many lanes a peer has. docs/decisions/how-many-lanes.md has the measurements behind the numbers. */
export interface LaneGrowthSettings {
  /** How often to call `sample` while bulk data flows: several round trips of a long path, and still 32 lanes within seconds. */
  readonly sampleMs: number;
  /** Minimum gain required to keep more lanes: what they carry, as a multiple of what fewer carried. */
  readonly minGain: number;
  /** Fewer lanes that carry this part of what more of them do are as good. */
  readonly equalPart: number;
  /** The smallest step between two numbers, as a multiple: a smaller one shows nothing. */
  readonly minStep: number;
  /** Growth is clear, and a level is skipped, when each new lane carries this part of what each old one does. */
  readonly clearGainPerLane: number;
  /**
   * The path slows a lane that carries less than this, in bytes a second: no processor is so slow. Its samples vary by whole
   * messages and by each lost packet, so only a large step shows anything: by `slowLaneStep`.
   */
  readonly slowLaneBytesPerSecond: number;
  readonly slowLaneStep: number;
  /** Where the processor is the limit, a lane of even the slowest engine carries at least this, in bytes a second. */
  readonly cpuBoundLaneBytesPerSecond: number;
  /**
   * The first time it tries whether fewer lanes are as good, this part of more than `manyLanes` stays, because what the closed ones
   * carried is lost meanwhile; half of a smaller number.
   */
  readonly manyLanes: number;
  readonly stayingOfMany: number;
  /** Lanes opened at once: bringing one up costs both sides milliseconds of work and a burst of packets. */
  readonly maxOpeningAtOnce: number;
  /** A number is measured until the error of its rate is this part of it, or for this many samples. */
  readonly steadyError: number;
  readonly steadySamples: number;
  /** How long it may stay undecided whether a number is better. */
  readonly patienceMs: number;
  /** How long lanes may take to open. Those missing then are done without, or asked for again. */
  readonly openingMs: number;
  /** The same once this part of them is open. */
  readonly mostOpeningMs: number;
  readonly mostPart: number;
  /** A settled number is tried again after this time; ... */
  readonly retryMs: number;
  /** ... at once when it carries less than this part of what it did; ... */
  readonly collapsedPart: number;
  /** ... and after this time when it carries less than that part. */
  readonly declinedMs: number;
  readonly declinedPart: number;
}

export const LANE_GROWTH: LaneGrowthSettings = {
  sampleMs: 500,
  minGain: 1.1,
  equalPart: 0.95,
  minStep: 1.25,
  clearGainPerLane: 0.5,
  slowLaneBytesPerSecond: 2_000_000,
  slowLaneStep: 8,
  cpuBoundLaneBytesPerSecond: 5_000_000,
  manyLanes: 8,
  stayingOfMany: 0.75,
  maxOpeningAtOnce: 28,
  steadyError: 0.1,
  steadySamples: 4,
  patienceMs: 5_000,
  openingMs: 4_000,
  mostOpeningMs: 1_500,
  mostPart: 0.7,
  retryMs: 60_000,
  collapsedPart: 0.5,
  declinedMs: 5_000,
  declinedPart: 0.8,
};
