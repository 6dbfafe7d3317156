import {
  MIN_WINDOW_BYTES,
  RATE_SPAN_MS,
  SOURCE_WINDOW_BYTES,
  START_WINDOW_BYTES,
  UNKNOWN_SOURCE_MS,
  WINDOW_SLACK_MS,
} from '../limits.ts';

/** How much a source had delivered when it was asked for a chunk. */
export interface Mark {
  readonly atMs: number;
  readonly deliveredBytes: number;
}

/** The part of each new measurement in the smoothed rate. */
const SMOOTHING = 0.2;

/**
 * How much one source may be asked for ahead: twice what it delivers in the shortest time that an answer took, and a bit.
 * While the window limits the source, each measurement doubles the window; when the path limits it, the window stays.
 */
export class SourceWindow {
  readonly #leastBytes: number;
  #deliveredBytes = 0;
  #latencyMs = Number.POSITIVE_INFINITY;
  /** Bytes per millisecond. */
  #rate: number | undefined;
  #best = { sinceMs: 0, rate: 0 };
  #bestBefore = 0;

  /** @param largestChunk - two of them fit in any window: one comes while the next is asked for */
  constructor(largestChunk: number) {
    this.#leastBytes = Math.min(SOURCE_WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, 2 * largestChunk));
  }

  get bytes(): number {
    if (this.#rate === undefined) return Math.max(START_WINDOW_BYTES, this.#leastBytes);
    const rate = Math.max(this.#best.rate, this.#bestBefore);
    const wanted = rate * (2 * this.#latencyMs + WINDOW_SLACK_MS);
    return Math.max(this.#leastBytes, Math.min(SOURCE_WINDOW_BYTES, wanted));
  }

  /** Whether the source's rate is known. */
  get measured(): boolean {
    return this.#rate !== undefined;
  }

  /** Bytes that come in this time at the measured rate; none while it is not measured. */
  bytesIn(ms: number): number {
    return (this.#rate ?? 0) * ms;
  }

  mark(nowMs: number): Mark {
    return { atMs: nowMs, deliveredBytes: this.#deliveredBytes };
  }

  /** A chunk has come that was asked for at the mark. */
  delivered(bytes: number, { atMs, deliveredBytes }: Mark, nowMs: number): void {
    this.#deliveredBytes += bytes;
    const tookMs = Math.max(1, nowMs - atMs);
    const rate = (this.#deliveredBytes - deliveredBytes) / tookMs;
    this.#latencyMs = Math.min(this.#latencyMs, tookMs);
    this.#rate = this.#rate === undefined ? rate : this.#rate + SMOOTHING * (rate - this.#rate);
    if (nowMs - this.#best.sinceMs >= RATE_SPAN_MS) {
      this.#bestBefore = this.#best.rate;
      this.#best = { sinceMs: nowMs, rate };
    } else this.#best.rate = Math.max(this.#best.rate, rate);
  }

  /** How long this many bytes take from now if the source has nothing else to do. */
  expectedMs(bytes: number): number {
    return this.#rate === undefined ? UNKNOWN_SOURCE_MS : this.#latencyMs + bytes / this.#rate;
  }

  /**
   * How long until this many bytes come that the source was asked for, the first chunk having `firstBytes`. A source that is
   * quiet for longer than it should be is expected to stay quiet for as long again.
   */
  dueMs(bytes: number, firstBytes: number, quietMs: number): number {
    if (this.#rate === undefined) return quietMs < UNKNOWN_SOURCE_MS ? 0 : quietMs;
    const leftMs = bytes / this.#rate;
    if (quietMs > 2 * this.expectedMs(firstBytes)) return Math.max(leftMs, quietMs);
    return Math.max(0, leftMs - quietMs);
  }
}
