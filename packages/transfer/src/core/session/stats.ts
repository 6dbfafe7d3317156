import { bytesInModel, type Layout, sizeOf } from '../layout/layout.ts';
import type { ChunkSource, SourceLane } from '../sources/source.ts';
import { RateMeter } from './rate-meter.ts';

export interface SourceBytes {
  readonly name: string;
  readonly bytes: number;
}

/** What came over one connection. Lost connections stay in the list. */
export interface LaneBytes {
  /** The name of the source. */
  readonly source: string;
  /** Unique among all lanes of the transfer, including those of other connections to the same source. */
  readonly id: number;
  readonly kind: string;
  readonly engine: string | undefined;
  readonly bytes: number;
  /** Over the last 5 s. */
  readonly bytesPerSecond: number;
}

/** A source that is no longer used because it misbehaved; one that was only lost is not among them. */
export interface DroppedSource {
  readonly name: string;
  readonly reason: string;
}

/**
 * What one connection brought. `isGone`: it was lost, so nothing moves over it.
 */
interface LaneCount extends Omit<LaneBytes, 'bytesPerSecond'> {
  bytes: number;
  isGone: boolean;
  readonly rate: RateMeter;
}

/**
 * Counts where the bytes of a model came from. Each byte that is there counts once: transferred, reused or resumed, so that
 * these add up to `doneBytes`. What came over the network and is not among them is wasted.
 */
export class TransferStats {
  readonly totalBytes: number;
  doneBytes = 0;
  reusedBytes = 0;
  resumedBytes = 0;
  transferredBytes = 0;
  hashedBytes = 0;
  refetchedChunks = 0;
  duplicateBytes = 0;
  /** Came over the network in vain: duplicates, wrong chunks, and what had to be fetched again. */
  wastedBytes = 0;
  /** What sources gave since the start, from wherever: how fast `doneBytes` grows. */
  gainedBytes = 0;
  readonly dropped: DroppedSource[] = [];
  /** Grows with every change. */
  version = 0;
  readonly #layout: Layout;
  readonly #resumed = new Set<number>();
  readonly #staged = new Set<number>();
  /** Chunks that a source gave, and whether they came over the network. */
  readonly #fetched = new Map<number, 'network' | 'disk'>();
  readonly #bySource = new Map<string, number>();
  /** Keyed by the lane objects, since each connection to an agent numbers its lanes from the start. */
  readonly #byLane = new Map<SourceLane, LaneCount>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.totalBytes = layout.totalBytes;
  }

  /** An earlier attempt had written the chunk. */
  resumed(id: number): void {
    const bytes = bytesInModel(this.#layout, id);
    this.#resumed.add(id);
    this.resumedBytes += bytes;
    this.#done(bytes);
  }

  /** The chunk is in a file that another model here has whole. */
  staged(id: number): void {
    const bytes = bytesInModel(this.#layout, id);
    this.#staged.add(id);
    this.reusedBytes += bytes;
    this.#done(bytes);
  }

  /** The source is used from now on. */
  joined({ name, lane }: ChunkSource, nowMs: number): void {
    if (lane === undefined) return;
    const known = this.#byLane.get(lane);
    if (known !== undefined) known.isGone = false;
    const { kind, engine } = lane;
    const id = this.#byLane.size;
    if (known === undefined)
      this.#byLane.set(lane, { source: name, id, kind, engine, bytes: 0, isGone: false, rate: new RateMeter(nowMs) });
  }

  /** The source is not used any more: nothing moves over its connection. */
  left({ lane }: ChunkSource): void {
    const known = lane === undefined ? undefined : this.#byLane.get(lane);
    if (known === undefined) return;
    known.isGone = true;
    this.version++;
  }

  /** A source gave the chunk; its further places in the model cost nothing. */
  fetched(id: number, source: ChunkSource): void {
    const size = sizeOf(this.#layout, id);
    const bytes = bytesInModel(this.#layout, id);
    this.#bySource.set(source.name, (this.#bySource.get(source.name) ?? 0) + size);
    const lane = source.lane === undefined ? undefined : this.#byLane.get(source.lane);
    if (lane !== undefined) lane.bytes += size;
    const transferred = source.isLocal === true ? 0 : size;
    this.#fetched.set(id, source.isLocal === true ? 'disk' : 'network');
    this.transferredBytes += transferred;
    this.reusedBytes += bytes - transferred;
    this.gainedBytes += bytes;
    this.#done(bytes);
  }

  /** A chunk that was done turned out wrong on the disk. */
  lost(id: number): void {
    const bytes = bytesInModel(this.#layout, id);
    if (this.#resumed.delete(id)) this.resumedBytes -= bytes;
    if (this.#staged.delete(id)) this.reusedBytes -= bytes;
    this.#takeBack(id, bytes);
    this.refetched();
    this.#done(-bytes);
  }

  refetched(): void {
    this.refetchedChunks++;
    this.version++;
  }

  /** A chunk came wrong over the network. */
  wrong(id: number): void {
    this.wastedBytes += sizeOf(this.#layout, id);
  }

  /** Bytes came of a chunk that another source had given already. */
  duplicate(bytes: number): void {
    this.duplicateBytes += bytes;
    this.wastedBytes += bytes;
    this.version++;
  }

  /** A source is no longer used because it misbehaved. */
  drop(name: string, reason: string): void {
    if (this.dropped.some((known) => known.name === name && known.reason === reason)) return;
    this.dropped.push({ name, reason });
    this.version++;
  }

  hashed(bytes: number): void {
    this.hashedBytes += bytes;
    this.version++;
  }

  bytesPerSource(): SourceBytes[] {
    return [...this.#bySource].map(([name, bytes]) => ({ name, bytes }));
  }

  /** Lanes that brought something; nothing moves over those that were lost. */
  bytesPerLane(nowMs: number): LaneBytes[] {
    const used = [...this.#byLane.values()].filter(({ bytes }) => bytes > 0);
    return used.map(({ rate, isGone, ...lane }) => {
      const bytesPerSecond = rate.bytesPerSecond(lane.bytes, nowMs);
      return { ...lane, bytesPerSecond: isGone ? 0 : bytesPerSecond };
    });
  }

  /** The chunk that a source gave counts no longer. */
  #takeBack(id: number, bytes: number): void {
    const how = this.#fetched.get(id);
    if (how === undefined) return;
    this.#fetched.delete(id);
    const transferred = how === 'network' ? sizeOf(this.#layout, id) : 0;
    this.transferredBytes -= transferred;
    this.wastedBytes += transferred;
    this.reusedBytes -= bytes - transferred;
  }

  #done(bytes: number): void {
    this.doneBytes += bytes;
    this.version++;
  }
}
