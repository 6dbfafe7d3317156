/**
 * How fast a transfer may go that leaves the network to others, from how round-trip times grow: data that waits in front of a
 * full link delays whatever follows, so a sender that keeps the delay small gives way to those that fill the queue.
 * After LEDBAT (RFC 6817) and LEDBAT++, with a rate in place of a window.
 */

/** The queueing delay that is aimed at: enough to keep a link busy, little beside what fills queues. */
const TARGET_MS = 25;
/** The delay without a queue is the least that was seen within so many minutes; routes change. */
const BASE_MINUTES = 5;
const MINUTE_MS = 60_000;
/** The least of so many samples counts: single ones are late for reasons of the machine. */
const FILTER_SAMPLES = 2;

/** Growth at a sample without any queue, as much less for each time the aim that is queued beyond it, and the most of that. */
const GAIN = 0.05;
const MAX_DECREASE = 0.5;
/** Of the aimed-at delay, what has to be left for the search to go on, and for a path to count as clear afterwards. */
const SEARCH_ROOM = 0.25;
const CLEAR_ROOM = 0.75;
/**
 * What ended the search may have been an accident of the machine: after so many samples in a row on a clear path growth
 * quickens by a quarter of itself with each, up to so many times.
 */
const CLEAR_SAMPLES = 10;
const MAX_QUICKENING = 4;
/** A rate that is not used does not grow: it would be found too high all at once. */
const MAX_ABOVE_GOODPUT = 1.5;

/** Below this a transfer would be taken as stalled. */
const MIN_BYTES_PER_SECOND = 64 * 1024;
const START_BYTES_PER_SECOND = 1024 * 1024;

export interface DelaySample {
  /** A round-trip time that was measured just now. */
  readonly rttMs: number;
  /** What came through since the sample before, in bytes a second, over all lanes. */
  readonly bytesPerSecond: number;
}

/** The rate of a transfer that gives way. Give it a sample about once a round trip, or a few times a second. */
export class DelayBasedRate {
  readonly #maxBytesPerSecond: number;
  /** The least round-trip time of each of the last minutes. */
  readonly #minutes: { minute: number; rttMs: number }[] = [];
  readonly #recentMs: number[] = [];
  #rate: number;
  #starting = true;
  #clear = 0;
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor(maxBytesPerSecond: number = Number.POSITIVE_INFINITY) {
    this.#maxBytesPerSecond = maxBytesPerSecond;
    this.#rate = Math.min(START_BYTES_PER_SECOND, maxBytesPerSecond);
  }

  get bytesPerSecond(): number {
    return this.#rate;
  }

  /** Takes a sample and gives the rate from now on, in bytes a second. A sample that is no time is ignored. */
  update({ rttMs, bytesPerSecond }: DelaySample, nowMs: number): number {
    if (!(rttMs >= 0) || !Number.isFinite(rttMs)) return this.#rate;
    const baseMs = this.#noteBase(rttMs, nowMs);
    this.#recentMs.push(rttMs);
    if (this.#recentMs.length > FILTER_SAMPLES) this.#recentMs.shift();
    // What is changed shows in round-trip times that begin after the change.
    if (nowMs - this.#changedMs < rttMs) return this.#rate;
    this.#changedMs = nowMs;
    const delayMs = Math.min(...this.#recentMs) - baseMs;
    this.#rate = this.#bounded(this.#next((TARGET_MS - delayMs) / TARGET_MS), bytesPerSecond);
    return this.#rate;
  }

  /** @param room - the part of the aimed-at delay that is not there; negative when there is more than that. */
  #next(room: number): number {
    this.#clear = room >= CLEAR_ROOM ? this.#clear + 1 : 0;
    // The first queue ends the search for the link's speed, which doubles until then.
    if (room < SEARCH_ROOM) this.#starting = false;
    if (room < 0) return this.#rate * (1 - Math.min(MAX_DECREASE, -room * GAIN));
    const quickening = Math.min(MAX_QUICKENING, 1 + Math.max(0, this.#clear - CLEAR_SAMPLES) / 4);
    return this.#rate * (1 + (this.#starting ? 1 : GAIN * room * quickening));
  }

  #bounded(next: number, goodput: number): number {
    const used = Math.max(goodput * (this.#starting ? 2 : MAX_ABOVE_GOODPUT), START_BYTES_PER_SECOND / 4);
    const grown = next > this.#rate ? Math.max(this.#rate, Math.min(next, used)) : next;
    return Math.min(Math.max(grown, MIN_BYTES_PER_SECOND), this.#maxBytesPerSecond);
  }

  #noteBase(rttMs: number, nowMs: number): number {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const last = this.#minutes.at(-1);
    if (last?.minute === minute) last.rttMs = Math.min(last.rttMs, rttMs);
    else this.#minutes.push({ minute, rttMs });
    while ((this.#minutes[0]?.minute ?? minute) <= minute - BASE_MINUTES) this.#minutes.shift();
    return Math.min(...this.#minutes.map((one) => one.rttMs));
  }
}
