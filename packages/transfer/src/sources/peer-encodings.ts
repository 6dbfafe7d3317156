import type { ChunkPiece } from '@model-rtc/transport';
import { CHUNK_ENCODING, ChunkCodec, readEncodedHead } from '../compress/chunk-codec.ts';
import { type CompressMode, EncodingChoice } from '../compress/encoding-choice.ts';
import { loadZstd } from '../compress/zstd.ts';
import type { FetchOptions, WantedChunk } from './source.ts';

export interface PeerEncodingsOptions {
  /** `auto` when left out: where it pays. */
  readonly mode?: CompressMode | undefined;
  /** Milliseconds that only ever grow. */
  readonly nowMs?: (() => number) | undefined;
}

/** One request's way of taking chunks. */
export interface EncodedRequest {
  /** What `get_chunks` offers; undefined for nothing. */
  readonly encodings: string[] | undefined;
  readonly onChunk: (piece: ChunkPiece) => void;
}

/** Takes the pieces of a request's chunks on to whoever wants the chunks. */
export type TakePieces = Pick<FetchOptions, 'onPiece'> & {
  /** Told the bytes of every piece as they came, before what it makes of them is given on. */
  readonly onWireBytes?: ((bytes: number) => void) | undefined;
};

/**
 * Whether and how one transfer's chunks come encoded. All of its sources share one, for the path is slow or fast as a whole.
 */
export class PeerEncodings {
  readonly #choice: EncodingChoice;
  readonly #nowMs: () => number;
  #codec: ChunkCodec | undefined;

  constructor({ mode, nowMs = () => performance.now() }: PeerEncodingsOptions = {}) {
    this.#choice = new EncodingChoice(mode);
    this.#nowMs = nowMs;
  }

  /** To be called for each request, before it is asked. */
  async open(wanted: readonly WantedChunk[], listener: TakePieces): Promise<EncodedRequest> {
    const { offers } = this.#choice;
    if (offers) this.#codec ??= new ChunkCodec(await loadZstd());
    const codec = offers ? this.#codec : undefined;
    const pieces = new EncodedPieces(wanted, codec, listener.onPiece);
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
}

/** A chunk's encoded form while it comes. */
interface Form {
  readonly index: number;
  readonly bytes: Uint8Array;
  length: number;
}

/**
 * Puts encoded chunks together, decodes them and gives each on as one piece; other pieces pass. Chunks of a request come one
 * after another and their pieces in order, so one at a time is kept; whatever comes otherwise is a damaged chunk.
 */
class EncodedPieces {
  readonly #wanted: ReadonlyMap<number, WantedChunk>;
  readonly #codec: ChunkCodec | undefined;
  readonly #onPiece: FetchOptions['onPiece'];
  #form: Form | undefined;

  constructor(wanted: readonly WantedChunk[], codec: ChunkCodec | undefined, onPiece: FetchOptions['onPiece']) {
    this.#wanted = new Map(wanted.map((chunk) => [chunk.index, chunk]));
    this.#codec = codec;
    this.#onPiece = onPiece;
  }

  /** @returns bytes of chunks that the piece made available. */
  take({ index, offset, payload, intact, encoded }: ChunkPiece): number {
    if (!encoded) {
      this.#onPiece(index, offset, payload, intact);
      return payload.length;
    }
    const wanted = this.#wanted.get(index);
    const form = intact && wanted !== undefined ? this.#formOf(wanted, offset, payload) : undefined;
    if (form === undefined || wanted === undefined) return this.#spoil(index, payload);
    form.bytes.set(payload, offset);
    form.length += payload.length;
    if (form.length < form.bytes.length) return 0;
    this.#form = undefined;
    const chunk = this.#codec?.decode(form.bytes, wanted.size);
    if (chunk === undefined) return this.#spoil(index, payload);
    this.#onPiece(index, 0, chunk, true);
    return chunk.length;
  }

  /** The form that the piece goes on with, or begins; undefined when it fits neither. */
  #formOf({ index, size }: WantedChunk, offset: number, payload: Uint8Array): Form | undefined {
    if (offset === 0) {
      const head = this.#codec === undefined ? undefined : readEncodedHead(payload);
      if (head === undefined || head.chunkBytes !== size) return undefined;
      this.#form = { index, bytes: new Uint8Array(head.encodedBytes), length: 0 };
    }
    const form = this.#form;
    const fits = form?.index === index && form.length === offset && offset + payload.length <= form.bytes.length;
    return fits ? form : undefined;
  }

  #spoil(index: number, payload: Uint8Array): number {
    if (this.#form?.index === index) this.#form = undefined;
    this.#onPiece(index, 0, payload, false);
    return 0;
  }
}
