import { ENDGAME_GAIN, SPARED_AFTER_MS } from '../limits.ts';
import type { RarestFirst } from './rarest-first.ts';
import type { ScheduledSource } from './scheduled-source.ts';

export interface EndgameRules {
  readonly nowMs: number;
  readonly cost: (id: number) => number;
  /** Whether the idle source may be asked for the chunk too. */
  readonly mayTake: (id: number) => boolean;
}

/**
 * Of all chunks that others were asked for, the one that is expected last, if the idle source is expected to bring it
 * considerably sooner.
 */
export function chunkForEndgame(
  idle: ScheduledSource,
  others: Iterable<ScheduledSource>,
  { nowMs, cost, mayTake }: EndgameRules,
): number | undefined {
  let last: { id: number; dueMs: number } | undefined;
  for (const other of others) {
    const late = lastOf(other, { nowMs, cost, mayTake });
    if (late !== undefined && (last === undefined || late.dueMs > last.dueMs)) last = late;
  }
  if (last === undefined) return undefined;
  let bytes = cost(last.id);
  for (const id of idle.asked.keys()) bytes += cost(id);
  return idle.window.expectedMs(bytes) < ENDGAME_GAIN * last.dueMs ? last.id : undefined;
}

/**
 * Whether a second copy is too much to ask of a source: it has all of the model, others give parts of it, and it needs a while for a chunk. Whoever
 * fetches the model too waits for it meanwhile. One that owes chunks and gives nothing is dropped soon, and its chunks are missing again.
 */
export function isSparing({ number, window }: ScheduledSource, rarest: RarestFirst, chunkBytes: number): boolean {
  return !rarest.isPartial(number) && window.expectedMs(chunkBytes) >= SPARED_AFTER_MS;
}

/** Sources answer in the order they are asked. */
function lastOf(
  { asked, window, quietSinceMs }: ScheduledSource,
  { nowMs, cost, mayTake }: EndgameRules,
): { id: number; dueMs: number } | undefined {
  let bytes = 0;
  let firstBytes = 0;
  let last: { id: number; bytes: number } | undefined;
  for (const id of asked.keys()) {
    bytes += cost(id);
    firstBytes ||= bytes;
    if (mayTake(id)) last = { id, bytes };
  }
  return last && { id: last.id, dueMs: window.dueMs(last.bytes, firstBytes, nowMs - quietSinceMs) };
}
