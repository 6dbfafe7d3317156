import { ALL_WINDOWS_BYTES, REQUEST_BYTES, REQUESTS_PER_WINDOW } from '../limits.ts';
import type { ScheduledSource } from './scheduled-source.ts';

/** How much the next request may ask for. */
export interface Budget {
  /** Bytes of a request for more than one chunk. */
  readonly bytes: number;
  /** The largest chunk that may be asked for alone. */
  readonly chunkBytes: number;
}

export interface BudgetLimits {
  readonly live: readonly ScheduledSource[];
  /** Used by all sources together, including those that are gone. */
  readonly usedBytes: number;
  /** The most bytes of a request for more than one chunk. */
  readonly maxBytes: number;
}

/** How much this source may be asked for now; undefined when its window is too full for another request. */
export function budgetOf(taker: ScheduledSource, { live, usedBytes, maxBytes }: BudgetLimits): Budget | undefined {
  if (isDone(taker) || !live.includes(taker)) return undefined;
  const window = windowOf(taker, live);
  const request = Math.min(REQUEST_BYTES, window / REQUESTS_PER_WINDOW);
  const allRoom = ALL_WINDOWS_BYTES - usedBytes;
  const bytes = Math.min(request, maxBytes);
  // An idle source may be asked for one chunk that is larger than its window.
  if (taker.usedBytes === 0) return { bytes, chunkBytes: allRoom };
  const room = Math.min(window - taker.usedBytes, allRoom);
  return room < request ? undefined : { bytes, chunkBytes: room };
}

/** All windows together are bounded and shared by need: a fast source may use what slow ones do not. */
function windowOf({ window }: ScheduledSource, live: readonly ScheduledSource[]): number {
  const wanted = live.filter((source) => !isDone(source)).map((source) => source.window.bytes);
  return Math.min(window.bytes, fairLimit(wanted, ALL_WINDOWS_BYTES));
}

/** The source is asked only for chunks of its own, and none are left. */
function isDone({ kept }: ScheduledSource): boolean {
  return kept?.length === 0;
}

/**
 * The largest window when they share `total` bytes: those that want less than an equal part get what they want, and the
 * others share the rest.
 */
function fairLimit(wanted: readonly number[], total: number): number {
  let left = total;
  const ascending = [...wanted].sort((a, b) => a - b);
  for (const [i, want] of ascending.entries()) {
    const equal = left / (ascending.length - i);
    if (want > equal) return equal;
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}
