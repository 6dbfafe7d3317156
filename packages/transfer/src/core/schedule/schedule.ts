import { ASK_AGAIN_MS, REQUEST_BYTES } from '../limits.ts';
import { type Budget, budgetOf } from './budget.ts';
import { ChunkHolders } from './chunk-holders.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { ChunkRules } from './chunk-rules.ts';
import { ASKED, ChunkStates, KEPT, MISSING, PRESENT, WRITING } from './chunk-states.ts';
import { chunkForEndgame, isSparing } from './endgame.ts';
import { Failures } from './failures.ts';
import { RarestFirst } from './rarest-first.ts';
import { lacks, type ScheduledSource } from './scheduled-source.ts';
import { SourceWindow } from './source-window.ts';
import { takeInOrder, takeKept, takeRarest } from './take-chunks.ts';

/** What to do about a chunk that came wrong or not at all. */
export type Verdict = 'again' | 'give_up' | 'drop_origin';

/**
 * Decides which source is asked for which chunk, and when. Pure: it does no I/O, has no clock and starts nothing. The caller
 * calls `take` after every event and reports what came of it.
 *
 * Chunks are asked for in order, each from one source. When nothing is left to ask for, a source that is done is also asked
 * for what another one would bring last, so that a slow source does not hold up the end. At most two sources are asked for
 * a chunk at a time.
 *
 * Once a source says which chunks it has, because it is still fetching the model itself, or a source that has all gives way to
 * others, the rarest chunks are asked for first; see `RarestFirst`.
 */
export class Schedule {
  readonly #sizes: Uint32Array;
  readonly #states: ChunkStates;
  readonly #sources: ScheduledSource[] = [];
  /** Those that were not dropped. Lanes come and go, so these may be few. */
  #live: ScheduledSource[] = [];
  readonly #queue: ChunkQueue;
  readonly #failures = new Failures();
  readonly #holders: ChunkHolders;
  readonly #rules: ChunkRules | undefined;
  readonly #random: () => number;
  /** While it is undefined, chunks are asked for in order. */
  #rarest: RarestFirst | undefined;

  /**
   * @param sizes - bytes of each chunk, by id
   * @param present - by id: 1 for each chunk that is on disk already
   * @param rules - without them, each source may be asked for any chunk
   * @param random - from 0 to below 1: chooses among chunks that are equally rare
   */
  constructor(sizes: Uint32Array, present: Uint8Array, rules?: ChunkRules, random: () => number = Math.random) {
    this.#rules = rules;
    this.#random = random;
    this.#sizes = sizes;
    this.#holders = new ChunkHolders(sizes);
    this.#states = new ChunkStates(present);
    this.#queue = new ChunkQueue(sizes.length);
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

  /** The chunk is missing, and may be asked for. */
  release(id: number): void {
    this.#states.move(id, MISSING);
    if (this.#rarest === undefined) this.#queue.putBack([id]);
    else this.#rarest.add(id);
  }

  /**
   * @param origin - who is behind the source; several sources may have the same
   * @param only - the chunks that only this source is asked for; without it, the source is asked for any others
   */
  addSource(origin: string, only?: readonly number[]): number {
    const kept = only?.filter((id) => this.#states.is(id, MISSING));
    for (const id of kept ?? []) this.#states.move(id, KEPT);
    kept?.sort((a, b) => b - a);
    const window = new SourceWindow(this.#holders.largestCost);
    const own = { asked: new Map(), arrived: new Map(), notBeforeMs: new Map() };
    const number = this.#sources.length;
    const source = { number, origin, kept, ...own, window, from: 0, usedBytes: 0, quietSinceMs: 0 };
    this.#sources.push(source);
    this.#live.push(source);
    return number;
  }

  /**
   * The source is still fetching the model itself and has these chunks, by id; undefined: it has all of them now. From the
   * first such source on, the rarest chunks are asked for first.
   */
  holds(source: number, has: Uint8Array | undefined): void {
    if (has === undefined && this.#rarest === undefined) return;
    this.#rarestFirst().set(source, has);
  }

  /** A source that is still fetching the model has these chunks too. */
  gained(source: number, ids: Iterable<number>): void {
    const { notBeforeMs } = this.#source(source);
    for (const id of ids) {
      this.#rarest?.gained(source, id);
      notBeforeMs.delete(id);
    }
  }

  /**
   * A source that has all gave way: others are just getting what it was asked for, and will give it. So from now on the rarest
   * chunks are asked for first.
   */
  givesWay(source: number): void {
    if (this.#rarest?.isPartial(source) !== true) this.#rarestFirst();
  }

  /**
   * The next request for this source; empty when its window is full or there is nothing to ask it for.
   *
   * @param maxBytes - the most bytes of a request for more than one chunk
   */
  take(source: number, nowMs: number, maxBytes: number = REQUEST_BYTES): number[] {
    const taker = this.#source(source);
    const budget = budgetOf(taker, { live: this.#live, usedBytes: this.#holders.usedBytes, maxBytes });
    if (budget === undefined) return [];
    const ids = this.#choose(taker, budget, nowMs);
    if (ids.length === 0 && taker.kept === undefined) ids.push(...this.#endgame(taker, budget, nowMs));
    if (taker.asked.size === 0) taker.quietSinceMs = nowMs;
    for (const id of ids) {
      this.#holders.ask(taker, id, nowMs);
      this.#settle(id);
    }
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
    if (mark !== undefined) giver.window.delivered(this.#holders.cost(id), mark, nowMs);
    giver.quietSinceMs = nowMs;
    const holders = this.#holders.letAllGo(id);
    this.#states.move(id, PRESENT);
    this.#failures.forget(id);
    return holders.map(({ number }) => number).filter((holder) => holder !== source);
  }

  /**
   * The chunk came wrong from this source, or not at all. It is queued for the others, or for the same source when no other
   * is left, unless it failed too often, or its origin sent wrong bytes too often and there are others. A source with chunks
   * of its own is not blamed for them. While an origin that never gave the chunk wrong does not have it yet, it is waited for.
   */
  missed(source: number, id: number, how: 'wrong' | 'lost', nowMs: number): Verdict {
    const { origin, kept } = this.#source(source);
    this.#letGo(source, id);
    if (kept !== undefined) return 'again';
    this.#failures.add(id, source, origin);
    const verdict = how === 'wrong' ? this.blame(origin) : 'again';
    const others = this.#general().filter((other) => other.origin !== origin);
    if (this.#failures.tooOften(id) && this.#holders.countOf(id) === 0) {
      if (others.every((other) => this.#failures.byOrigin(id, other.origin))) return 'give_up';
      for (const lane of this.#general()) {
        if (this.#failures.byOrigin(id, lane.origin)) lane.notBeforeMs.set(id, nowMs + ASK_AGAIN_MS);
      }
    }
    return verdict;
  }

  /** The origin gave a chunk wrong, or a whole file, which counts as one wrong chunk. */
  blame(origin: string): Verdict {
    this.#failures.countWrong(origin);
    const isReplaceable = this.#general().some((other) => other.origin !== origin);
    return isReplaceable && this.#failures.isUntrusted(origin) ? 'drop_origin' : 'again';
  }

  /** The source's origin does not have the chunk yet: ask the others at once, and that one again, over any lane, from the time on that is given. */
  lacking(source: number, id: number, askAgainMs: number): void {
    const asked = this.#source(source);
    for (const lane of this.#live) if (lane.origin === asked.origin) lane.notBeforeMs.set(id, askAgainMs);
    asked.from = Math.max(asked.from, id + 1);
    this.#letGo(source, id);
  }

  /** The source is gone: others may be asked for what it was asked for, or what was kept for it. What arrived stays. */
  drop(source: number): void {
    const { asked, kept } = this.#source(source);
    this.#live = this.#live.filter(({ number }) => number !== source);
    this.#rarest?.set(source, undefined);
    for (const id of [...asked.keys()]) this.#letGo(source, id);
    for (const id of kept?.splice(0) ?? []) this.release(id);
  }

  /** Chunks that were on disk turned out wrong there. */
  lost(ids: Iterable<number>): void {
    for (const id of ids) if (this.#states.is(id, PRESENT)) this.release(id);
  }

  /** How many chunks this source was asked for that have not arrived whole. */
  askedOf(source: number): number {
    return this.#source(source).asked.size;
  }

  #choose(taker: ScheduledSource, budget: Budget, nowMs: number): number[] {
    const choice = {
      ...{ taker, budget, nowMs, states: this.#states },
      cost: (id: number): number => this.#holders.cost(id),
      mayAsk: (id: number): boolean => this.#mayAsk(taker, id),
      mayServe: (id: number): boolean => this.#mayServe(taker, id, nowMs),
    };
    if (taker.kept !== undefined) return takeKept(taker.kept, choice);
    if (this.#rarest === undefined) return takeInOrder(this.#queue, choice);
    return takeRarest(this.#rarest, this.#general(), choice);
  }

  #rarestFirst(): RarestFirst {
    if (this.#rarest !== undefined) return this.#rarest;
    const rarest = new RarestFirst(this.#sizes.length, this.#random);
    for (let id = 0; id < this.#sizes.length; id++) if (this.#states.is(id, MISSING)) rarest.add(id);
    this.#rarest = rarest;
    return rarest;
  }

  #endgame(idle: ScheduledSource, budget: Budget, nowMs: number): number[] {
    // A source that has only some chunks may be done with them while others are missing.
    const isDone = this.#rarest?.isPartial(idle.number) || !this.someMissing;
    if (!isDone || (idle.asked.size > 0 && !idle.window.measured)) return [];
    if (this.#rarest !== undefined && isSparing(idle, this.#rarest, this.#holders.largestCost)) return [];
    const others = this.#general().filter((other) => other !== idle);
    const cost = (id: number): number => this.#holders.cost(id);
    const mayTake = (id: number): boolean =>
      this.#holders.countOf(id) === 1 && cost(id) <= budget.chunkBytes && this.#mayServe(idle, id, nowMs);
    const id = chunkForEndgame(idle, others, { nowMs, cost, mayTake });
    return id === undefined ? [] : [id];
  }

  #mayServe(server: ScheduledSource, id: number, nowMs: number): boolean {
    if (!this.#mayAsk(server, id) || lacks(server, id, nowMs)) return false;
    if (!this.#failures.byOrigin(id, server.origin)) return true;
    const able = this.#general().filter((other) => this.#mayAsk(other, id) && !lacks(other, id, nowMs));
    return !this.#failures.othersAreBetter(id, server, able);
  }

  #mayAsk(source: ScheduledSource, id: number): boolean {
    if (this.#rarest?.mayHave(source.number, id) === false) return false;
    return this.#rules === undefined || this.#rules.mayAsk(id, source);
  }

  /** The chunk is no longer expected from the source. */
  #letGo(source: number, id: number): void {
    this.#holders.letGo(this.#source(source), id);
    this.#settle(id);
  }

  /** Sets the chunk's state by the source that is furthest with it. */
  #settle(id: number): void {
    if (this.#states.is(id, PRESENT)) return;
    if (this.#holders.countOf(id) === 0) this.release(id);
    else this.#states.move(id, this.#holders.someArrived(id) ? WRITING : ASKED);
  }

  /** The live sources without chunks of their own. */
  #general(): ScheduledSource[] {
    return this.#live.filter(({ kept }) => kept === undefined);
  }

  #source(source: number): ScheduledSource {
    const known = this.#sources[source];
    if (known === undefined) throw new RangeError(`no source ${source}`);
    return known;
  }
}
