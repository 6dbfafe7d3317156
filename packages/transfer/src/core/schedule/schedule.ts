import { MAX_CHUNKS_PER_REQUEST } from '@model-rtc/protocol';
import { ASK_AGAIN_MS, REQUEST_BYTES } from '../limits.ts';
import { type Budget, budgetOf } from './budget.ts';
import { bufferSize } from './buffer-size.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { ChunkRules } from './chunk-rules.ts';
import { ASKED, ChunkStates, KEPT, MISSING, PRESENT, WRITING } from './chunk-states.ts';
import { chunkForEndgame } from './endgame.ts';
import { Failures } from './failures.ts';
import { lacks, type ScheduledSource } from './scheduled-source.ts';
import { SourceWindow } from './source-window.ts';

/** What to do about a chunk that came wrong or not at all. */
export type Verdict = 'again' | 'give_up' | 'drop_origin';

/**
 * Decides which source is asked for which chunk, and when. Pure: it does no I/O, has no clock and starts nothing. The caller
 * calls `take` after every event and reports what came of it.
 *
 * Chunks are asked for in order, each from one source. When nothing is left to ask for, a source that is done is also asked
 * for what another one would bring last, so that a slow source does not hold up the end. At most two sources are asked for
 * a chunk at a time.
 */
export class Schedule {
  readonly #sizes: Uint32Array;
  readonly #states: ChunkStates;
  readonly #sources: ScheduledSource[] = [];
  /** Those that were not dropped. Lanes come and go, so these may be few. */
  #live: ScheduledSource[] = [];
  readonly #queue: ChunkQueue;
  readonly #failures = new Failures();
  /** By chunk: sources that were asked for it, or that gave it and it is not verified yet. */
  readonly #holders = new Map<number, Set<number>>();
  readonly #largestChunk: number;
  readonly #rules: ChunkRules | undefined;
  #usedBytes = 0;

  /**
   * @param sizes - bytes of each chunk, by id
   * @param present - by id: 1 for each chunk that is on disk already
   * @param rules - without them, each source may be asked for any chunk
   */
  constructor(sizes: Uint32Array, present: Uint8Array, rules?: ChunkRules) {
    this.#rules = rules;
    this.#sizes = sizes;
    this.#states = new ChunkStates(present);
    this.#queue = new ChunkQueue(sizes.length);
    this.#largestChunk = bufferSize(sizes.reduce((most, size) => Math.max(most, size), 0));
  }

  /** Whether every chunk is on disk. */
  get allPresent(): boolean {
    return this.#states.allPresent;
  }

  /** Whether some chunk can only come from the sources that have no chunks of their own. */
  get someMissing(): boolean {
    return this.#states.someMissing;
  }

  /** Whether any source was asked for something that has not come yet. */
  get someAsked(): boolean {
    return this.#live.some(({ asked }) => asked.size > 0);
  }

  /** Nobody is asked for these chunks until `found` or `release` is called for them. */
  hold(ids: readonly number[]): void {
    for (const id of ids) if (this.#states.is(id, MISSING)) this.#states.move(id, KEPT);
  }

  /** The chunk is on disk, without having been asked for. */
  found(id: number): void {
    this.#states.move(id, PRESENT);
  }

  release(id: number): void {
    this.#return(id);
  }

  /**
   * @param origin - who is behind the source; several sources may have the same
   * @param only - the chunks that only this source is asked for; without it, the source is asked for any others
   */
  addSource(origin: string, only?: readonly number[]): number {
    const kept = only?.filter((id) => this.#states.is(id, MISSING));
    for (const id of kept ?? []) this.#states.move(id, KEPT);
    kept?.sort((a, b) => b - a);
    const window = new SourceWindow(this.#largestChunk);
    const own = { asked: new Map(), arrived: new Map(), notBeforeMs: new Map() };
    const number = this.#sources.length;
    const source = { number, origin, kept, ...own, window, from: 0, usedBytes: 0, quietSinceMs: 0 };
    this.#sources.push(source);
    this.#live.push(source);
    return number;
  }

  /**
   * The next request for this source; empty when its window is full or there is nothing to ask it for.
   *
   * @param maxBytes - the most bytes of a request for more than one chunk
   */
  take(source: number, nowMs: number, maxBytes: number = REQUEST_BYTES): number[] {
    const taker = this.#source(source);
    const budget = budgetOf(taker, { live: this.#live, usedBytes: this.#usedBytes, maxBytes });
    if (budget === undefined) return [];
    const ids = taker.kept === undefined ? this.#takeQueued(taker, budget, nowMs) : this.#takeKept(taker.kept, budget);
    if (ids.length === 0 && taker.kept === undefined) ids.push(...this.#endgame(taker, budget, nowMs));
    if (taker.asked.size === 0) taker.quietSinceMs = nowMs;
    for (const id of ids) this.#ask(source, id, nowMs);
    return ids;
  }

  /** All bytes of the chunk came. They are being checked and written, or they wait while another source's are. */
  arrived(source: number, id: number): void {
    const { asked, arrived } = this.#source(source);
    const mark = asked.get(id);
    if (mark === undefined) return;
    asked.delete(id);
    arrived.set(id, mark);
    this.#settle(id);
  }

  /**
   * The chunk was right and is on disk.
   *
   * @returns the other sources that were asked for it: what they send of it is useless
   */
  verified(source: number, id: number, nowMs: number): number[] {
    const giver = this.#source(source);
    const mark = giver.arrived.get(id);
    if (mark !== undefined) giver.window.delivered(this.#cost(id), mark, nowMs);
    giver.quietSinceMs = nowMs;
    const others = [...(this.#holders.get(id) ?? [])].filter((holder) => holder !== source);
    for (const holder of [source, ...others]) this.#letGo(holder, id);
    this.#states.move(id, PRESENT);
    this.#failures.forget(id);
    return others;
  }

  /**
   * The chunk came wrong from this source, or not at all. It is queued for the others, or for the same source when no other
   * is left, unless it failed too often, or its origin sent wrong bytes too often and there are others. A source with chunks
   * of its own is not blamed for them. While an origin that never gave the chunk wrong does not have it yet, it is waited for.
   */
  missed(source: number, id: number, how: 'wrong' | 'lost', nowMs: number): Verdict {
    const { origin, kept } = this.#source(source);
    this.#letGo(source, id);
    this.#settle(id);
    if (kept !== undefined) return 'again';
    this.#failures.add(id, source, origin);
    if (how === 'wrong') this.#failures.countWrong(origin);
    const others = this.#general().filter((other) => other.origin !== origin);
    if (this.#failures.tooOften(id) && !this.#holders.has(id)) {
      if (others.every((other) => this.#failures.byOrigin(id, other.origin))) return 'give_up';
      for (const lane of this.#general()) {
        if (this.#failures.byOrigin(id, lane.origin)) lane.notBeforeMs.set(id, nowMs + ASK_AGAIN_MS);
      }
    }
    const replaceable = others.length > 0;
    return how === 'wrong' && replaceable && this.#failures.isUntrusted(origin) ? 'drop_origin' : 'again';
  }

  /** The origin gave a whole file wrong, which counts as one wrong chunk. */
  blame(origin: string): Verdict {
    this.#failures.countWrong(origin);
    const isReplaceable = this.#general().some((other) => other.origin !== origin);
    return isReplaceable && this.#failures.isUntrusted(origin) ? 'drop_origin' : 'again';
  }

  /** The source does not have the chunk yet: ask the others at once, and this one again from the time on that is given. */
  lacking(source: number, id: number, askAgainMs: number): void {
    const asked = this.#source(source);
    asked.notBeforeMs.set(id, askAgainMs);
    asked.from = Math.max(asked.from, id + 1);
    this.#letGo(source, id);
    this.#settle(id);
  }

  /** The source is gone: others may be asked for what it was asked for, or what was kept for it. What arrived stays. */
  drop(source: number): void {
    const { asked, kept } = this.#source(source);
    this.#live = this.#live.filter(({ number }) => number !== source);
    for (const id of [...asked.keys()]) {
      this.#letGo(source, id);
      this.#settle(id);
    }
    for (const id of kept?.splice(0) ?? []) this.#return(id);
  }

  /** Chunks that were on disk turned out wrong there. */
  lost(ids: Iterable<number>): void {
    for (const id of ids) if (this.#states.is(id, PRESENT)) this.#return(id);
  }

  /** How many chunks this source was asked for that have not arrived whole. */
  askedOf(source: number): number {
    return this.#source(source).asked.size;
  }

  #takeQueued(taker: ScheduledSource, budget: Budget, nowMs: number): number[] {
    const { from } = taker;
    const ids = this.#takeFrom(taker, budget, nowMs);
    // Where rules passed many chunks over, the next call looks at those behind them.
    if (ids.length > 0 || from === 0 || taker.from !== from) return ids;
    taker.from = 0;
    return this.#takeFrom(taker, budget, nowMs);
  }

  #takeFrom(taker: ScheduledSource, budget: Budget, nowMs: number): number[] {
    let left = budget.bytes;
    const want = (id: number): 'take' | 'leave' | 'forget' | 'stop' => {
      if (!this.#states.is(id, MISSING)) return 'forget';
      if (!this.#mayAsk(taker, id)) {
        taker.from = id + 1;
        return 'leave';
      }
      if (!this.#mayServe(taker, id, nowMs)) return 'leave';
      const cost = this.#cost(id);
      // The first chunk is taken even if it is larger than a request.
      if (cost > (left === budget.bytes ? budget.chunkBytes : left)) return 'stop';
      left -= cost;
      // At once, since a chunk that came back may be in the queue twice.
      this.#states.move(id, ASKED);
      return 'take';
    };
    return this.#queue.take(MAX_CHUNKS_PER_REQUEST, want, taker.from);
  }

  #takeKept(kept: number[], budget: Budget): number[] {
    const ids: number[] = [];
    let left = budget.bytes;
    while (kept.length > 0 && ids.length < MAX_CHUNKS_PER_REQUEST) {
      const id = kept.at(-1) as number;
      const cost = this.#cost(id);
      if (cost > (ids.length === 0 ? budget.chunkBytes : left)) break;
      left -= cost;
      ids.push(id);
      kept.pop();
    }
    return ids;
  }

  #endgame(idle: ScheduledSource, budget: Budget, nowMs: number): number[] {
    if (this.someMissing || (idle.asked.size > 0 && !idle.window.measured)) return [];
    const others = this.#general().filter((other) => other !== idle);
    const cost = (id: number): number => this.#cost(id);
    const mayTake = (id: number): boolean =>
      this.#holders.get(id)?.size === 1 && cost(id) <= budget.chunkBytes && this.#mayServe(idle, id, nowMs);
    const id = chunkForEndgame(idle, others, { nowMs, cost, mayTake });
    return id === undefined ? [] : [id];
  }

  /** A source that gave the chunk wrong is asked again only if every other one that could give it gave it wrong too. */
  #mayServe(server: ScheduledSource, id: number, nowMs: number): boolean {
    if (!this.#mayAsk(server, id) || lacks(server, id, nowMs)) return false;
    if (!this.#failures.byOrigin(id, server.origin)) return true;
    const able = this.#general().filter((other) => this.#mayAsk(other, id) && !lacks(other, id, nowMs));
    if (able.some(({ origin }) => !this.#failures.byOrigin(id, origin))) return false;
    // Try another lane of the same origin first: perhaps only the lane damages what it carries.
    return (
      !this.#failures.bySource(id, server.number) || able.every(({ number }) => this.#failures.bySource(id, number))
    );
  }

  #mayAsk(source: ScheduledSource, id: number): boolean {
    return this.#rules === undefined || this.#rules.mayAsk(id, source);
  }

  #ask(source: number, id: number, nowMs: number): void {
    const asked = this.#source(source);
    asked.asked.set(id, asked.window.mark(nowMs));
    asked.usedBytes += this.#cost(id);
    this.#usedBytes += this.#cost(id);
    const holders = this.#holders.get(id) ?? new Set();
    holders.add(source);
    this.#holders.set(id, holders);
    this.#settle(id);
  }

  /** The chunk is no longer expected from the source. */
  #letGo(source: number, id: number): void {
    const holders = this.#holders.get(id);
    if (!holders?.delete(source)) return;
    if (holders.size === 0) this.#holders.delete(id);
    const holder = this.#source(source);
    holder.asked.delete(id);
    holder.arrived.delete(id);
    holder.usedBytes -= this.#cost(id);
    this.#usedBytes -= this.#cost(id);
  }

  /** Sets the chunk's state by the source that is furthest with it. */
  #settle(id: number): void {
    if (this.#states.is(id, PRESENT)) return;
    const holders = this.#holders.get(id);
    if (holders === undefined) this.#return(id);
    else this.#states.move(id, [...holders].some((holder) => this.#source(holder).arrived.has(id)) ? WRITING : ASKED);
  }

  #return(id: number): void {
    this.#states.move(id, MISSING);
    this.#queue.putBack([id]);
  }

  /** The live sources without chunks of their own. */
  #general(): ScheduledSource[] {
    return this.#live.filter(({ kept }) => kept === undefined);
  }

  #cost(id: number): number {
    return bufferSize(this.#sizes[id] ?? 0);
  }

  #source(source: number): ScheduledSource {
    const known = this.#sources[source];
    if (known === undefined) throw new RangeError(`no source ${source}`);
    return known;
  }
}
