/**
 * The rate of a transfer that leaves the network to others, found from how round-trip times grow: data that queues in front
 * of a full link delays whatever follows, so a sender that keeps the delay small gives way to senders that fill the queue.
 * After LEDBAT (RFC 6817) and LEDBAT++, with a rate instead of a window.
 */

/** The target queueing delay: enough to keep a link busy, and far less than a queue that is full. */
const TARGET_MS = 25;
/** The delay without a queue is the shortest of the last minutes, so that a change of route is noticed. */
const BASE_MINUTES = 5;
const MINUTE_MS = 60_000;
/** The shortest of this many samples counts: a busy machine delays single ones. */
const FILTER_SAMPLES = 2;

/** Growth at a sample without a queue; the loss for each target delay in excess of the target; and the largest loss. */
const GAIN = 0.05;
const MAX_DECREASE = 0.5;
/** The part of the target delay that must be free for the search to go on, and for a path to count as clear afterwards. */
const SEARCH_ROOM = 0.25;
const CLEAR_ROOM = 0.75;
/**
 * A busy machine may have ended the search too early: after this many samples in a row on a clear path, growth speeds up by
 * a quarter with each further one, up to this factor.
 */
const CLEAR_SAMPLES = 10;
const MAX_QUICKENING = 4;
/** A rate that is not used does not grow: it would turn out far too high all at once. */
const MAX_ABOVE_GOODPUT = 1.5;

/** A slower transfer would look stalled. */
const MIN_BYTES_PER_SECOND = 64 * 1024;
const START_BYTES_PER_SECOND = 1024 * 1024;

export interface DelaySample {
  /** A round-trip time that was measured just now. */
  readonly rttMs: number;
  /** What came through since the last sample, in bytes a second, over all lanes. */
  readonly bytesPerSecond: number;
}

/** The rate of a transfer that gives way. Give it a sample about once per round trip, or a few times a second. */
export class DelayBasedRate {
  readonly #maxBytesPerSecond: number;
  /** The shortest round-trip time of each of the last minutes. */
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

  /** Takes a sample and returns the new rate, in bytes a second. It ignores a sample that is not a time. */
  update({ rttMs, bytesPerSecond }: DelaySample, nowMs: number): number {
    if (!(rttMs >= 0) || !Number.isFinite(rttMs)) return this.#rate;
    const baseMs = this.#noteBase(rttMs, nowMs);
    this.#recentMs.push(rttMs);
    if (this.#recentMs.length > FILTER_SAMPLES) this.#recentMs.shift();
    // A change shows only in round-trip times that begin after it.
    if (nowMs - this.#changedMs < rttMs) return this.#rate;
    this.#changedMs = nowMs;
    const delayMs = Math.min(...this.#recentMs) - baseMs;
    this.#rate = this.#bounded(this.#next((TARGET_MS - delayMs) / TARGET_MS), bytesPerSecond);
    return this.#rate;
  }

  /** @param room - the unused part of the target delay; negative when the delay is longer than the target. */
  #next(room: number): number {
    this.#clear = room >= CLEAR_ROOM ? this.#clear + 1 : 0;
    // The rate doubles in search of the link's speed, until the first queue.
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
