import type { ChunkPiece } from '@model-rtc/transport';
import { CHUNK_ENCODING, ChunkCodec, readEncodedHead } from '../compress/chunk-codec.ts';
import { type CompressMode, EncodingChoice } from '../compress/encoding-choice.ts';
import type { Zstd } from '../compress/zstd.ts';
import type { FetchOptions, WantedChunk } from './source.ts';

export interface PeerEncodingsOptions {
  /** `auto` by default: encoded when it pays. */
  readonly mode?: CompressMode | undefined;
  /** Milliseconds from a clock that never goes back. */
  readonly nowMs?: (() => number) | undefined;
  /** Loads zstd, when encoded chunks are first asked for. Without it they never are. */
  readonly loadZstd?: (() => Promise<Zstd>) | undefined;
}

/** How one request takes its chunks. */
export interface EncodedRequest {
  /** What `get_chunks` offers; undefined for nothing. */
  readonly encodings: string[] | undefined;
  readonly onChunk: (piece: ChunkPiece) => void;
}

/** Where a request's pieces go. */
export type TakePieces = Pick<FetchOptions, 'onPiece' | 'onWrong'> & {
  /** Called with the bytes of every piece on the wire, before the piece or its chunk is passed on. */
  readonly onWireBytes?: ((bytes: number) => void) | undefined;
};

/**
 * Whether and how the chunks of one transfer come encoded. All its sources share one, since a path is slow or fast as a whole.
 */
export class PeerEncodings {
  #choice: EncodingChoice;
  readonly #nowMs: () => number;
  readonly #loadZstd: (() => Promise<Zstd>) | undefined;
  #codec: ChunkCodec | undefined;

  constructor({ mode, nowMs = () => performance.now(), loadZstd }: PeerEncodingsOptions = {}) {
    this.#choice = new EncodingChoice(loadZstd === undefined ? 'off' : mode);
    this.#nowMs = nowMs;
    this.#loadZstd = loadZstd;
  }

  /** Call it for each request, before sending it. */
  async open(wanted: readonly WantedChunk[], listener: TakePieces): Promise<EncodedRequest> {
    const codec = await this.#codecToOffer();
    const offers = codec !== undefined;
    const pieces = new EncodedPieces(wanted, codec, {
      onPiece: listener.onPiece,
      // A sender that encodes one chunk wrong may do it again. Plain chunks are safe.
      onWrong: (index) => {
        this.#turnOff();
        listener.onWrong?.(index);
      },
    });
    return {
      encodings: offers ? [CHUNK_ENCODING] : undefined,
      onChunk: (piece) => {
        const wireBytes = piece.payload.length;
        listener.onWireBytes?.(wireBytes);
        const decodedBytes = pieces.take(piece);
        this.#choice.arrived({ offered: offers, decodedBytes, wireBytes }, this.#nowMs() / 1000);
      },
    };
  }

  /** Undefined when chunks are asked for as they are, and when zstd cannot be loaded. */
  async #codecToOffer(): Promise<ChunkCodec | undefined> {
    if (!this.#choice.offers || this.#loadZstd === undefined) return undefined;
    if (this.#codec !== undefined) return this.#codec;
    try {
      this.#codec = new ChunkCodec(await this.#loadZstd());
    } catch {
      this.#turnOff();
    }
    return this.#codec;
  }

  /** For the rest of the transfer. */
  #turnOff(): void {
    this.#choice = new EncodingChoice('off');
  }
}

/** The encoded form of a chunk, as far as it has come. */
interface Form {
  readonly index: number;
  readonly bytes: Uint8Array;
  length: number;
}

interface PieceListener {
  readonly onPiece: FetchOptions['onPiece'];
  readonly onWrong: (index: number) => void;
}

/**
 * Assembles encoded chunks, decodes them and passes each on as one piece; plain pieces pass through. The chunks of a request
 * come one after another and their pieces in order, so it keeps one at a time and begins each once; anything else is a
 * damaged chunk. Intact pieces that make no valid form are wrong: their sender made them so.
 */
class EncodedPieces {
  readonly #wanted: ReadonlyMap<number, WantedChunk>;
  readonly #codec: ChunkCodec | undefined;
  readonly #listener: PieceListener;
  /** Chunks whose forms have begun: each takes memory once. */
  readonly #begun = new Set<number>();
  #form: Form | undefined;

  constructor(wanted: readonly WantedChunk[], codec: ChunkCodec | undefined, listener: PieceListener) {
    this.#wanted = new Map(wanted.map((chunk) => [chunk.index, chunk]));
    this.#codec = codec;
    this.#listener = listener;
  }

  /** @returns how many bytes of chunks the piece made available */
  take({ index, offset, payload, intact, encoded }: ChunkPiece): number {
    if (!encoded) {
      this.#listener.onPiece(index, offset, payload, intact);
      return payload.length;
    }
    const wanted = this.#wanted.get(index);
    if (!intact || wanted === undefined) return this.#spoil(index, payload);
    if (offset === 0 && !this.#begin(wanted, payload)) return this.#wrong(index);
    const form = this.#form;
    const fits = form?.index === index && form.length === offset && offset + payload.length <= form.bytes.length;
    if (form === undefined || !fits) return this.#spoil(index, payload);
    form.bytes.set(payload, offset);
    form.length += payload.length;
    if (form.length < form.bytes.length) return 0;
    this.#form = undefined;
    const chunk = this.#codec?.decode(form.bytes, wanted.size);
    if (chunk === undefined) return this.#wrong(index);
    this.#listener.onPiece(index, 0, chunk, true);
    return chunk.length;
  }

  /** False when no form of the chunk can begin like this, or begin now. */
  #begin({ index, size }: WantedChunk, payload: Uint8Array): boolean {
    const head = this.#codec === undefined || this.#begun.has(index) ? undefined : readEncodedHead(payload);
    if (head === undefined || head.chunkBytes !== size) return false;
    this.#begun.add(index);
    this.#form = { index, bytes: new Uint8Array(head.encodedBytes), length: 0 };
    return true;
  }

  #wrong(index: number): number {
    if (this.#form?.index === index) this.#form = undefined;
    this.#listener.onWrong(index);
    return 0;
  }

  #spoil(index: number, payload: Uint8Array): number {
    if (this.#form?.index === index) this.#form = undefined;
    this.#listener.onPiece(index, 0, payload, false);
    return 0;
  }
}
