import { MAX_CHUNKS_PER_REQUEST } from '@model-rtc/protocol';
import { SHARED_AHEAD_MS, SHARED_REQUEST_BYTES } from '../limits.ts';
import type { Budget } from './budget.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import { ASKED, type ChunkStates, MISSING } from './chunk-states.ts';
import type { RarestFirst } from './rarest-first.ts';
import { lacks, type ScheduledSource } from './scheduled-source.ts';

/** What the choice of the next chunks for a source depends on. Each choice moves its chunks to the state `ASKED`. */
export interface Choice {
  readonly taker: ScheduledSource;
  readonly budget: Budget;
  readonly nowMs: number;
  readonly states: ChunkStates;
  /** The memory that a chunk takes. */
  cost(id: number): number;
  /** Whether the rules let this source be asked for the chunk, now or later. */
  mayAsk(id: number): boolean;
  /** Whether the source may be asked for it now. */
  mayServe(id: number): boolean;
}

/** The next chunks in order. */
export function takeInOrder(queue: ChunkQueue, choice: Choice): number[] {
  const { taker } = choice;
  const { from } = taker;
  const ids = takeFrom(queue, choice);
  // Where rules passed many chunks over, the next call looks at those behind them.
  if (ids.length > 0 || from === 0 || taker.from !== from) return ids;
  taker.from = 0;
  return takeFrom(queue, choice);
}

function takeFrom(queue: ChunkQueue, { taker, budget, states, cost, mayAsk, mayServe }: Choice): number[] {
  let left = budget.bytes;
  const want = (id: number): 'take' | 'leave' | 'forget' | 'stop' => {
    if (!states.is(id, MISSING)) return 'forget';
    if (!mayAsk(id)) {
      taker.from = id + 1;
      return 'leave';
    }
    if (!mayServe(id)) return 'leave';
    // The first chunk is taken even if it is larger than a request.
    if (cost(id) > (left === budget.bytes ? budget.chunkBytes : left)) return 'stop';
    left -= cost(id);
    // At once, since a chunk that came back may be in the queue twice.
    states.move(id, ASKED);
    return 'take';
  };
  return queue.take(MAX_CHUNKS_PER_REQUEST, want, taker.from);
}

/** The last of the chunks that are kept for this source alone. */
export function takeKept(kept: number[], { budget, cost }: Pick<Choice, 'budget' | 'cost'>): number[] {
  const ids: number[] = [];
  let left = budget.bytes;
  while (kept.length > 0 && ids.length < MAX_CHUNKS_PER_REQUEST) {
    const id = kept.at(-1) as number;
    if (cost(id) > (ids.length === 0 ? budget.chunkBytes : left)) break;
    left -= cost(id);
    ids.push(id);
    kept.pop();
  }
  return ids;
}

/**
 * The rarest chunks that the source has. A whole source is asked for little at once, so that it can be called back when another
 * one gives the chunk sooner, and for nothing that a faster source has.
 *
 * @param others - the live sources
 */
export function takeRarest(rarest: RarestFirst, others: readonly ScheduledSource[], choice: Choice): number[] {
  const { taker, budget, nowMs, states, cost, mayServe } = choice;
  const isPartial = rarest.isPartial(taker.number);
  const sooner = isPartial ? [] : partialsSooner(rarest, taker, others);
  const ids: number[] = [];
  let left = isPartial ? budget.bytes : Math.min(budget.bytes, SHARED_REQUEST_BYTES, roomAt(taker, others));
  const isMissing = (id: number): boolean => states.is(id, MISSING);
  const mayTake = (id: number, holders: number): boolean => {
    if (cost(id) > (ids.length === 0 ? budget.chunkBytes : left)) return false;
    const has = ({ number }: ScheduledSource): boolean => rarest.mayHave(number, id);
    if (holders > 0 && sooner.some((other) => has(other) && !lacks(other, id, nowMs))) return false;
    return mayServe(id);
  };
  while (ids.length < MAX_CHUNKS_PER_REQUEST && left > 0) {
    const id = rarest.pick(taker.number, { isMissing, mayTake });
    if (id === undefined) break;
    left -= cost(id);
    states.move(id, ASKED);
    ids.push(id);
  }
  return ids;
}

/** What a sender that has all may still be asked ahead for, over all its lanes. */
function roomAt({ origin }: ScheduledSource, others: readonly ScheduledSource[]): number {
  const lanes = others.filter((other) => other.origin === origin);
  const usedBytes = lanes.reduce((sum, lane) => sum + lane.usedBytes, 0);
  const bringBytes = lanes.reduce((sum, { window }) => sum + window.bytesIn(SHARED_AHEAD_MS), 0);
  return Math.max(2 * SHARED_REQUEST_BYTES, bringBytes) - usedBytes;
}

/** Sources that are still fetching the model and would bring a small chunk sooner than this one. */
function partialsSooner(
  rarest: RarestFirst,
  taker: ScheduledSource,
  others: readonly ScheduledSource[],
): ScheduledSource[] {
  const expectedMs = ({ window, usedBytes }: ScheduledSource): number =>
    window.expectedMs(usedBytes + SHARED_REQUEST_BYTES);
  const ownMs = expectedMs(taker);
  return others.filter((other) => rarest.isPartial(other.number) && expectedMs(other) < ownMs);
}
