/** What decides how many lanes a peer has. docs/decisions/how-many-lanes.md has the measurements behind the numbers. */
export const LANE_GROWTH = {
  /** How often to call `sample` while bulk data flows: several round trips of a long path, and still 32 lanes within seconds. */
  sampleMs: 500,
  /** Minimum gain required to keep more lanes: what they carry, as a multiple of what fewer carried. */
  minGain: 1.1,
  /** Fewer lanes that carry this part of what more of them do are as good. */
  equalPart: 0.95,
  /** The smallest step between two numbers, as a multiple: a smaller one shows nothing. */
  minStep: 1.25,
  /** Growth is clear, and a level is skipped, when each new lane carries this part of what each old one does. */
  clearGainPerLane: 0.5,
  /**
   * The path slows a lane that carries less than this, in bytes a second: no processor is so slow. Its samples vary by whole
   * messages and by each lost packet, so only a large step shows anything: by `slowLaneStep`.
   */
  slowLaneBytesPerSecond: 2_000_000,
  slowLaneStep: 8,
  /** Where the processor is the limit, a lane of even the slowest engine carries at least this, in bytes a second. */
  cpuBoundLaneBytesPerSecond: 5_000_000,
  /**
   * The first time it tries whether fewer lanes are as good, this part of more than `manyLanes` stays, because what the closed ones
   * carried is lost meanwhile; half of a smaller number.
   */
  manyLanes: 8,
  stayingOfMany: 0.75,
  /** Lanes opened at once: bringing one up costs both sides milliseconds of work and a burst of packets. */
  maxOpeningAtOnce: 28,
  /** A number is measured until the error of its rate is this part of it, or for this many samples. */
  steadyError: 0.1,
  steadySamples: 4,
  /** How long it may stay undecided whether a number is better. */
  patienceMs: 5_000,
  /** How long lanes may take to open. Those missing then are done without, or asked for again. */
  openingMs: 4_000,
  /** The same once this part of them is open. */
  mostOpeningMs: 1_500,
  mostPart: 0.7,
  /** A settled number is tried again after this time; ... */
  retryMs: 60_000,
  /** ... at once when it carries less than this part of what it did; ... */
  collapsedPart: 0.5,
  /** ... and after this time when it carries less than that part. */
  declinedMs: 5_000,
  declinedPart: 0.8,
};
