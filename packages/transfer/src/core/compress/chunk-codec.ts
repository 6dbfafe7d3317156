import { joinPlanes, planesEntropyBytes, splitPlanes } from './planes.ts';
import type { Zstd } from './zstd.ts';

/** The name of this encoding in `get_chunks`: bytes grouped by their place in the elements, then zstd. */
export const CHUNK_ENCODING = 'planes-zstd-1';

/** Transform (1), length of the chunk (4), length of the encoded form with this head (4); big-endian. */
export const ENCODED_HEAD_BYTES = 9;

/** 1: zstd alone. 2 and 4: zstd over planes of elements of that many bytes. The wire uses the same numbers. */
const TRANSFORMS = [1, 2, 4] as const;
type Transform = (typeof TRANSFORMS)[number];

/** A sample of each chunk is tried first: pieces from its start, middle and end. */
const SAMPLE_PIECES = 3;
const SAMPLE_PIECE_BYTES = 16 * 1024;
/** A smaller gain is not worth the time of either side. */
const MAX_RATIO = 0.9;
/** Below this the head takes up what is gained. */
const MIN_CHUNK_BYTES = 256;

export interface EncodedHead {
  readonly transform: Transform;
  readonly chunkBytes: number;
  /** The length of the encoded form, including the head. */
  readonly encodedBytes: number;
}

/** Reads the head of an encoded form; undefined when no honest sender writes such a head. */
export function readEncodedHead(bytes: Uint8Array): EncodedHead | undefined {
  if (bytes.length < ENCODED_HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const transform = TRANSFORMS.find((known) => known === view.getUint8(0));
  const [chunkBytes, encodedBytes] = [view.getUint32(1), view.getUint32(5)];
  // Nobody sends a form that is not shorter than the chunk.
  if (transform === undefined || encodedBytes <= ENCODED_HEAD_BYTES || encodedBytes >= chunkBytes) return undefined;
  return { transform, chunkBytes, encodedBytes };
}

/** Encodes and decodes chunks. It reuses its memory, so use one codec for many chunks. */
export class ChunkCodec {
  readonly #zstd: Zstd;
  #planes = new Uint8Array();

  constructor(zstd: Zstd) {
    this.#zstd = zstd;
  }

  /**
   * The encoded form of a chunk, or undefined when a sample says that it gains too little.
   * @param into - memory as long as the chunk; may be the chunk itself
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
   * The chunk that was encoded; undefined when the form is damaged or made up.
   * @param size - of the chunk: it takes no more memory than that
   * @returns memory that the next use of the codec overwrites
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
   * The transform with the shortest result, if that is short enough. Planes are judged by the entropy of their bytes, which
   * zstd reaches for a long plane: in a short sample it writes all planes in one block, which hides their difference.
   */
  #best(sample: Uint8Array): Transform | undefined {
    const lengths = [
      [1, this.#zstd.compress(sample).length],
      [2, planesEntropyBytes(sample, 2)],
      [4, planesEntropyBytes(sample, 4)],
    ] as const;
    // A wider transform must be better by more than chance.
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

/** Pieces of a long chunk, each starting where an element of 4 bytes starts. */
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
