import { joinPlanes, planesEntropyBytes, splitPlanes } from './planes.ts';
import type { Zstd } from './zstd.ts';

/** How `get_chunks` calls what is written here: bytes grouped by their place in the elements, then zstd. */
export const CHUNK_ENCODING = 'planes-zstd-1';

/** Transform (1), length of the chunk (4), length of the encoded form with this head (4); big-endian. */
export const ENCODED_HEAD_BYTES = 9;

/** zstd alone, or of planes of so many bytes an element; the numbers are those on the wire. */
const TRANSFORMS = [1, 2, 4] as const;
type Transform = (typeof TRANSFORMS)[number];

/** What is tried first, of each chunk: pieces of its start, middle and end. */
const SAMPLE_PIECES = 3;
const SAMPLE_PIECE_BYTES = 16 * 1024;
/** Gaining less is not worth the time of either side. */
const MAX_RATIO = 0.9;
/** The heads would take what is gained. */
const MIN_CHUNK_BYTES = 256;

export interface EncodedHead {
  readonly transform: Transform;
  readonly chunkBytes: number;
  /** Of the encoded form, the head included. */
  readonly encodedBytes: number;
}

/** What the first bytes of an encoded form say; undefined when no sender would say that. */
export function readEncodedHead(bytes: Uint8Array): EncodedHead | undefined {
  if (bytes.length < ENCODED_HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const transform = TRANSFORMS.find((known) => known === view.getUint8(0));
  const [chunkBytes, encodedBytes] = [view.getUint32(1), view.getUint32(5)];
  // A form that is no shorter than the chunk is not sent.
  if (transform === undefined || encodedBytes <= ENCODED_HEAD_BYTES || encodedBytes >= chunkBytes) return undefined;
  return { transform, chunkBytes, encodedBytes };
}

/** Writes chunks shorter, and reads that. What it works in is used again, so use one for many chunks. */
export class ChunkCodec {
  readonly #zstd: Zstd;
  #planes = new Uint8Array();

  constructor(zstd: Zstd) {
    this.#zstd = zstd;
  }

  /**
   * The encoded form of a chunk, or undefined where a sample says that it gains too little.
   * @param into memory as long as the chunk; it may be the chunk's own.
   */
  encode(chunk: Uint8Array, into: Uint8Array): Uint8Array | undefined {
    if (chunk.length < MIN_CHUNK_BYTES) return undefined;
    const transform = this.#best(sampleOf(chunk));
    if (transform === undefined) return undefined;
    const content = this.#compress(chunk, transform);
    const encodedBytes = ENCODED_HEAD_BYTES + content.length;
    if (encodedBytes >= chunk.length) return undefined;
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    view.setUint8(0, transform);
    view.setUint32(1, chunk.length);
    view.setUint32(5, encodedBytes);
    into.set(content, ENCODED_HEAD_BYTES);
    return into.subarray(0, encodedBytes);
  }

  /**
   * The chunk that was encoded; undefined when the form was damaged or made up.
   * @param size of the chunk. No more memory than for that is taken.
   * @returns good until the codec is used again.
   */
  decode(encoded: Uint8Array, size: number): Uint8Array | undefined {
    const head = readEncodedHead(encoded);
    if (head === undefined || head.chunkBytes !== size || head.encodedBytes !== encoded.length) return undefined;
    const content = this.#zstd.decompress(encoded.subarray(ENCODED_HEAD_BYTES), size);
    if (content === undefined || head.transform === 1) return content;
    const chunk = this.#planesOf(size);
    joinPlanes(content, head.transform, chunk);
    return chunk;
  }

  /**
   * The transform with the shortest result, if that is short enough. Planes are told by how evenly their bytes are spread,
   * which is what zstd makes of a long plane: in a short sample it writes all planes in one block, and hides their difference.
   */
  #best(sample: Uint8Array): Transform | undefined {
    const lengths = [
      [1, this.#zstd.compress(sample).length],
      [2, planesEntropyBytes(sample, 2)],
      [4, planesEntropyBytes(sample, 4)],
    ] as const;
    // A wider transform has to be better by more than chance makes it.
    const margin = sample.length * 0.01;
    const [transform, length] = lengths.reduce((best, next) => (next[1] < best[1] - margin ? next : best));
    return length < sample.length * MAX_RATIO ? transform : undefined;
  }

  #compress(bytes: Uint8Array, transform: Transform): Uint8Array {
    if (transform === 1) return this.#zstd.compress(bytes);
    const planes = this.#planesOf(bytes.length);
    splitPlanes(bytes, transform, planes);
    return this.#zstd.compress(planes);
  }

  #planesOf(size: number): Uint8Array {
    if (this.#planes.length < size) this.#planes = new Uint8Array(size);
    return this.#planes.subarray(0, size);
  }
}

/** Pieces of a long chunk, each from a place where elements of 4 bytes begin. */
function sampleOf(chunk: Uint8Array): Uint8Array {
  if (chunk.length <= SAMPLE_PIECES * SAMPLE_PIECE_BYTES) return chunk;
  const sample = new Uint8Array(SAMPLE_PIECES * SAMPLE_PIECE_BYTES);
  for (let piece = 0; piece < SAMPLE_PIECES; piece++) {
    const last = chunk.length - SAMPLE_PIECE_BYTES;
    const at = Math.floor((last * piece) / (SAMPLE_PIECES - 1) / 4) * 4;
    sample.set(chunk.subarray(at, at + SAMPLE_PIECE_BYTES), piece * SAMPLE_PIECE_BYTES);
  }
  return sample;
}
