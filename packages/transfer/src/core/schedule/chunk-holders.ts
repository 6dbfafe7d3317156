import { bufferSize } from './buffer-size.ts';
import type { ScheduledSource } from './scheduled-source.ts';

/** Which sources were asked for each chunk, or gave it and it is not verified yet; and the memory that all of this takes. */
export class ChunkHolders {
  /** The memory that the largest chunk takes. */
  readonly largestCost: number;
  readonly #sizes: Uint32Array;
  readonly #holders = new Map<number, Set<ScheduledSource>>();
  #usedBytes = 0;

  /** @param sizes - bytes of each chunk, by id */
  constructor(sizes: Uint32Array) {
    this.#sizes = sizes;
    this.largestCost = bufferSize(sizes.reduce((most, size) => Math.max(most, size), 0));
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The memory that a chunk takes. */
  cost(id: number): number {
    return bufferSize(this.#sizes[id] ?? 0);
  }

  countOf(id: number): number {
    return this.#holders.get(id)?.size ?? 0;
  }

  /** Whether all bytes of the chunk came from one of them. */
  someArrived(id: number): boolean {
    return [...(this.#holders.get(id) ?? [])].some(({ arrived }) => arrived.has(id));
  }

  ask(source: ScheduledSource, id: number, nowMs: number): void {
    source.asked.set(id, source.window.mark(nowMs));
    this.#use(source, this.cost(id));
    const holders = this.#holders.get(id) ?? new Set();
    holders.add(source);
    this.#holders.set(id, holders);
  }

  /** The chunk is no longer expected from the source. */
  letGo(source: ScheduledSource, id: number): void {
    const holders = this.#holders.get(id);
    if (!holders?.delete(source)) return;
    if (holders.size === 0) this.#holders.delete(id);
    source.asked.delete(id);
    source.arrived.delete(id);
    this.#use(source, -this.cost(id));
  }

  /** The chunk is no longer expected from anyone. @returns the sources that it was expected from */
  letAllGo(id: number): ScheduledSource[] {
    const holders = [...(this.#holders.get(id) ?? [])];
    for (const holder of holders) this.letGo(holder, id);
    return holders;
  }

  #use(source: ScheduledSource, bytes: number): void {
    source.usedBytes += bytes;
    this.#usedBytes += bytes;
  }
}
