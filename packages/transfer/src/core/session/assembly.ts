import { ModelRtcError } from '@model-rtc/protocol';
import type { ChunkBuffer } from '../disk/buffer-pool.ts';
import { MAX_GAPS } from '../limits.ts';

/**
 * Assembles one chunk from pieces in any order, each byte once.
 */
export class ChunkAssembly {
  readonly buffer: ChunkBuffer;
  readonly #size: number;
  /** Filled runs in ascending order; none touches another. */
  readonly #runs: { start: number; end: number }[] = [];

  constructor(size: number, buffer: ChunkBuffer) {
    this.#size = size;
    this.buffer = buffer;
  }

  get complete(): boolean {
    const first = this.#runs[0];
    return this.#runs.length === 1 && first?.start === 0 && first.end === this.#size;
  }

  get receivedBytes(): number {
    return this.#runs.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** @throws ModelRtcError `malformed_message` when the piece lies outside the chunk, or overlaps bytes that came before */
  add(offset: number, piece: Uint8Array): void {
    const end = offset + piece.length;
    if (!Number.isSafeInteger(offset) || offset < 0 || piece.length === 0 || end > this.#size) {
      throw misbehaviour(`a piece of ${piece.length} bytes at ${offset} of a chunk of ${this.#size} bytes`);
    }
    this.#fill(offset, end);
    this.buffer.memory.write(offset, piece);
  }

  #fill(start: number, end: number): void {
    const after = this.#runs.findIndex((run) => run.end >= start);
    const at = after === -1 ? this.#runs.length : after;
    const touched = this.#runs.slice(at).filter((run) => run.start <= end);
    if (touched.some((run) => run.start < end && run.end > start))
      throw misbehaviour('the same bytes of a chunk twice');
    const joined = {
      start: Math.min(start, ...touched.map((run) => run.start)),
      end: Math.max(end, ...touched.map((run) => run.end)),
    };
    this.#runs.splice(at, touched.length, joined);
    if (this.#runs.length > MAX_GAPS) throw misbehaviour('a chunk in scattered pieces');
  }
}

export function misbehaviour(what: string): ModelRtcError {
  return new ModelRtcError('malformed_message', `It sent ${what}, which no agent of this protocol does.`);
}
