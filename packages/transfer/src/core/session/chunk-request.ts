import type { ChunkBuffer } from '../disk/buffer-pool.ts';
import type { WantedChunk } from '../sources/source.ts';
import { ChunkAssembly, misbehaviour } from './assembly.ts';

/** Lends the buffers that chunks are assembled in, and takes them back. */
export interface Buffers {
  lend(size: number): ChunkBuffer;
  giveBack(buffer: ChunkBuffer): void;
}

export interface RequestListener {
  arrived(chunk: number, buffer: ChunkBuffer): void;
  /** The chunk did not come right. */
  missed(chunk: number, how: Miss): void;
  /** The source does not have the chunks yet. */
  lacking(chunks: readonly number[]): void;
  /** Bytes came of a chunk that is no longer wanted. */
  unwanted(bytes: number): void;
}

/**
 * How a chunk did not come right: undamaged but not what it should be, damaged on its way, or not at all before the request
 * ended.
 */
export type Miss = 'wrong' | 'damaged' | 'absent';

/** One request to a source: takes its pieces, and knows what is still missing. */
export class ChunkRequest {
  readonly #wanted: ReadonlyMap<number, WantedChunk>;
  readonly #assemblies = new Map<number, ChunkAssembly>();
  /**
   * Chunks that are settled: whole ones, for which another piece is a fault, damaged ones, and those that another source
   * gave.
   */
  readonly #settled = new Map<number, 'arrived' | 'damaged' | 'unwanted'>();
  readonly #buffers: Buffers;
  readonly #listener: RequestListener;
  #open = true;

  constructor(wanted: readonly WantedChunk[], buffers: Buffers, listener: RequestListener) {
    this.#wanted = new Map(wanted.map((chunk) => [chunk.index, chunk]));
    this.#buffers = buffers;
    this.#listener = listener;
  }

  /** Whether only the answer is still expected. */
  get isSettled(): boolean {
    return this.#settled.size === this.#wanted.size;
  }

  /** @throws ModelRtcError `malformed_message` for a piece that no honest source sends */
  addPiece(index: number, offset: number, bytes: Uint8Array, intact: boolean): void {
    if (!this.#open) return;
    const settled = this.#settled.get(index);
    if (settled === 'damaged') return;
    if (settled === 'unwanted') this.#listener.unwanted(bytes.length);
    else if (!intact) this.#spoil(index);
    else if (settled === 'arrived') throw misbehaviour('the same chunk twice');
    else this.#addTo(index, this.#assemblyOf(index), { offset, bytes });
  }

  /**
   * What the source sent cannot be the chunk.
   *
   * @throws ModelRtcError `malformed_message` when the chunk had come before
   */
  addWrong(index: number): void {
    if (!this.#open || !this.#wanted.has(index)) return;
    const settled = this.#settled.get(index);
    if (settled === 'arrived') throw misbehaviour('the same chunk twice');
    if (settled !== undefined) return;
    this.#takeApart(index, 'damaged');
    this.#listener.missed(index, 'wrong');
  }

  /**
   * Another source gave the chunk.
   *
   * @returns whether the request is now of no use at all
   */
  discard(index: number): boolean {
    if (!this.#wanted.has(index) || this.#settled.has(index)) return false;
    const assembly = this.#takeApart(index, 'unwanted');
    if (assembly !== undefined) this.#listener.unwanted(assembly.receivedBytes);
    return this.isSettled;
  }

  /**
   * The source says that it gave everything.
   *
   * @param missing - chunks that it says it does not have yet
   */
  end(missing: readonly number[] = []): void {
    if (!this.#open) return;
    const left = [...this.#wanted.keys()].filter((index) => !this.#settled.has(index));
    const said = new Set(missing);
    const lacking = left.filter((index) => said.has(index));
    this.abandon();
    if (lacking.length > 0) this.#listener.lacking(lacking);
    for (const index of left) if (!said.has(index)) this.#listener.missed(index, 'absent');
  }

  /** Gives up the request: whatever still comes is ignored. */
  abandon(): void {
    this.#open = false;
    for (const { buffer } of this.#assemblies.values()) this.#buffers.giveBack(buffer);
    this.#assemblies.clear();
  }

  #addTo(index: number, assembly: ChunkAssembly, { offset, bytes }: { offset: number; bytes: Uint8Array }): void {
    assembly.add(offset, bytes);
    if (!assembly.complete) return;
    this.#settled.set(index, 'arrived');
    this.#assemblies.delete(index);
    this.#listener.arrived(index, assembly.buffer);
  }

  #assemblyOf(index: number): ChunkAssembly {
    const known = this.#assemblies.get(index);
    if (known !== undefined) return known;
    const wanted = this.#wanted.get(index);
    if (wanted === undefined) throw misbehaviour('a chunk that it was not asked for');
    const assembly = new ChunkAssembly(wanted.size, this.#buffers.lend(wanted.size));
    this.#assemblies.set(index, assembly);
    return assembly;
  }

  #spoil(index: number): void {
    // A damaged piece may have a wrong index, too; the chunk that never comes whole is asked for again anyway.
    if (!this.#wanted.has(index) || this.#settled.has(index)) return;
    this.#takeApart(index, 'damaged');
    this.#listener.missed(index, 'damaged');
  }

  /** Drops what was assembled of the chunk. */
  #takeApart(index: number, why: 'damaged' | 'unwanted'): ChunkAssembly | undefined {
    const assembly = this.#assemblies.get(index);
    if (assembly !== undefined) this.#buffers.giveBack(assembly.buffer);
    this.#assemblies.delete(index);
    this.#settled.set(index, why);
    return assembly;
  }
}
