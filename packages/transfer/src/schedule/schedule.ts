import { MAX_CHUNKS_PER_REQUEST } from '@model-rtc/protocol';
import { ALL_WINDOWS_BYTES, MAX_REFETCHES, MIN_BUFFER_BYTES, REQUEST_BYTES, SOURCE_WINDOW_BYTES } from '../limits.ts';
import { ChunkQueue } from './chunk-queue.ts';

/** Where a chunk is: nowhere yet, kept for one source, asked for, on its way to the disk, there. */
const MISSING = 0;
const KEPT = 1;
const ASKED = 2;
const WRITING = 3;
const PRESENT = 4;

interface Lane {
  readonly name: string;
  /** Such a source is asked for these chunks only, and no other is while it lives. */
  readonly kept: number[] | undefined;
  readonly asked: Set<number>;
  /** Buffers that its asked and arrived chunks may take until they are verified. */
  usedBytes: number;
  live: boolean;
}

interface Misses {
  times: number;
  readonly by: Set<number>;
}

/**
 * Which source is asked for which chunk, when. Pure: it does no I/O, keeps no clock and starts nothing; the caller asks
 * `take` after every event and reports what came of it. Windows, order and the choice of another source after a failure
 * are decided here, so sizing windows by measurement, stealing work and asking twice at the end belong here too.
 */
export class Schedule {
  readonly #sizes: Uint32Array;
  readonly #states: Uint8Array;
  readonly #lanes: Lane[] = [];
  readonly #queue: ChunkQueue;
  readonly #misses = new Map<number, Misses>();
  /** How many chunks are in each state. */
  readonly #counts = [0, 0, 0, 0, 0];

  /** @param sizes - bytes of each chunk, by id. @param present - 1 for each that is on disk already. */
  constructor(sizes: Uint32Array, present: Uint8Array) {
    this.#sizes = sizes;
    this.#states = present.map((there) => (there === 1 ? PRESENT : MISSING));
    for (const state of this.#states) this.#count(state, 1);
    this.#queue = new ChunkQueue(sizes.length);
  }

  /** Whether every chunk is on disk. */
  get allPresent(): boolean {
    return this.#counts[PRESENT] === this.#states.length;
  }

  /** Whether some chunk can come from the sources without chunks of their own only. */
  get someMissing(): boolean {
    return (this.#counts[MISSING] ?? 0) > 0;
  }

  /** Nobody is asked for these chunks until `found` or `release` says what became of them. */
  hold(ids: readonly number[]): void {
    for (const id of ids) if (this.#states[id] === MISSING) this.#move(id, KEPT);
  }

  /** The chunk is on disk, without having been asked for. */
  found(id: number): void {
    this.#move(id, PRESENT);
  }

  release(id: number): void {
    this.#return([id]);
  }

  /** @param only - the chunks that this source alone is asked for; without it, any that no one else is asked for. */
  addSource(name: string, only?: readonly number[]): number {
    const kept = only?.filter((id) => this.#states[id] === MISSING);
    for (const id of kept ?? []) this.#move(id, KEPT);
    kept?.sort((a, b) => b - a);
    return this.#lanes.push({ name, kept, asked: new Set(), usedBytes: 0, live: true }) - 1;
  }

  /** The next request for this source; empty when its window is full or nothing is to be asked of it. */
  take(source: number): number[] {
    const lane = this.#lane(source);
    const room = this.#windowBytes() - lane.usedBytes;
    if (!lane.live || (lane.usedBytes > 0 && room < REQUEST_BYTES)) return [];
    const budget = Math.min(room, REQUEST_BYTES);
    const ids = lane.kept === undefined ? this.#takeQueued(source, budget) : this.#takeKept(lane.kept, budget);
    for (const id of ids) {
      lane.asked.add(id);
      lane.usedBytes += this.#cost(id);
    }
    return ids;
  }

  /** All bytes of an asked chunk came; they are being checked and written. */
  arrived(source: number, id: number): void {
    this.#lane(source).asked.delete(id);
    this.#move(id, WRITING);
  }

  /** The chunk was right and is on disk. */
  verified(source: number, id: number): void {
    this.#lane(source).usedBytes -= this.#cost(id);
    this.#move(id, PRESENT);
    this.#misses.delete(id);
  }

  /**
   * The chunk came wrong from this source, or not at all. It is queued again for the others, or for the same one where no
   * other is left; `give_up` when it was asked for often enough. A source with chunks of its own passes them on freely.
   */
  missed(source: number, id: number): 'again' | 'give_up' {
    const lane = this.#lane(source);
    lane.asked.delete(id);
    lane.usedBytes -= this.#cost(id);
    this.#return([id]);
    if (lane.kept !== undefined) return 'again';
    const misses = this.#misses.get(id) ?? { times: 0, by: new Set() };
    misses.times++;
    misses.by.add(source);
    this.#misses.set(id, misses);
    return misses.times > MAX_REFETCHES ? 'give_up' : 'again';
  }

  /** The source is gone: what it was asked for, or was kept for it, is free for others. What arrived stays. */
  drop(source: number): void {
    const lane = this.#lane(source);
    lane.live = false;
    this.#return(lane.asked);
    this.#return(lane.kept?.splice(0) ?? []);
    lane.asked.clear();
  }

  /** Chunks that were on disk turned out wrong there. */
  lost(ids: Iterable<number>): void {
    const gone = [...ids].filter((id) => this.#states[id] === PRESENT);
    this.#return(gone);
  }

  /** Chunks asked of this source of which not all bytes came yet. */
  askedOf(source: number): ReadonlySet<number> {
    return this.#lane(source).asked;
  }

  #takeQueued(source: number, budget: number): number[] {
    let left = budget;
    return this.#queue.take(MAX_CHUNKS_PER_REQUEST, (id) => {
      if (this.#states[id] !== MISSING) return 'forget';
      if (!this.#mayServe(source, id)) return 'leave';
      // The first chunk is taken whatever its size: a chunk larger than a request must be asked for too.
      if (left < budget && this.#cost(id) > left) return 'stop';
      left -= this.#cost(id);
      // At once: a chunk that came back may be in the queue twice.
      this.#move(id, ASKED);
      return 'take';
    });
  }

  #takeKept(kept: number[], budget: number): number[] {
    const ids: number[] = [];
    let left = budget;
    while (kept.length > 0 && ids.length < MAX_CHUNKS_PER_REQUEST) {
      const id = kept.at(-1) as number;
      if (ids.length > 0 && this.#cost(id) > left) break;
      left -= this.#cost(id);
      ids.push(id);
      this.#move(id, ASKED);
      kept.pop();
    }
    return ids;
  }

  /** A source that gave the chunk wrong is asked again only when every other source that lives gave it wrong too. */
  #mayServe(source: number, id: number): boolean {
    const misses = this.#misses.get(id);
    if (misses === undefined || !misses.by.has(source)) return true;
    return this.#lanes.every((lane, other) => !lane.live || lane.kept !== undefined || misses.by.has(other));
  }

  #return(ids: Iterable<number>): void {
    const returned = [...ids];
    for (const id of returned) this.#move(id, MISSING);
    this.#queue.putBack(returned);
  }

  #move(id: number, state: number): void {
    this.#count(this.#states[id] ?? MISSING, -1);
    this.#count(state, 1);
    this.#states[id] = state;
  }

  #count(state: number, by: number): void {
    this.#counts[state] = (this.#counts[state] ?? 0) + by;
  }

  #windowBytes(): number {
    const live = this.#lanes.filter((lane) => lane.live).length;
    return Math.max(REQUEST_BYTES, Math.min(SOURCE_WINDOW_BYTES, Math.floor(ALL_WINDOWS_BYTES / Math.max(1, live))));
  }

  #cost(id: number): number {
    return bufferSize(this.#sizes[id] ?? 0);
  }

  #lane(source: number): Lane {
    const lane = this.#lanes[source];
    if (lane === undefined) throw new RangeError(`no source ${source}`);
    return lane;
  }
}

/** What a chunk takes of memory: buffers come in powers of two, so that they can be used again for other chunks. */
export function bufferSize(bytes: number): number {
  return Math.max(MIN_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
}
