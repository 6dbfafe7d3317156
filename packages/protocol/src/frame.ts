import xxhash from 'xxhash-wasm';
import {
  FLAG_ENCODED,
  FRAGMENT_HEADER_BYTES,
  isFrame,
  KIND_CHUNK,
  KIND_FRAGMENT,
  readHead,
  writeHead,
} from './frame-head.ts';
import { MAX_CHUNK_BYTES, MAX_MESSAGE_BYTES } from './limits.ts';
import { malformed } from './msgpack-scan.ts';
import { xxh64 } from './xxh64.ts';

/** The head of every frame and the xxh64 of the payload (8). */
export const CHUNK_FRAME_HEADER_BYTES = 28;

/** A piece of a chunk. `index` is the label that the asker gave the chunk in its request. */
export interface ChunkFrame {
  readonly kind: 'chunk';
  readonly request: number;
  readonly index: number;
  /** Where the payload starts in the chunk, or in its encoded form. */
  readonly offset: number;
  /** Whether the payload is of the chunk's encoded form, and not of the chunk. */
  readonly encoded: boolean;
  /** A view of the bytes that were decoded. */
  readonly payload: Uint8Array;
  /** Whether the payload still has the xxh64 that its sender computed. */
  readonly intact: boolean;
}

/** A piece of a message that is longer than what the lane takes at once. */
export interface FragmentFrame {
  readonly kind: 'fragment';
  readonly message: number;
  /** The bytes of the whole message. */
  readonly total: number;
  readonly offset: number;
  /** A view of the bytes that were decoded. */
  readonly payload: Uint8Array;
}

export type Frame = ChunkFrame | FragmentFrame;

/** What a chunk frame says about its payload. */
export interface ChunkFrameHeader {
  readonly request: number;
  readonly index: number;
  readonly offset: number;
  /** Whether the payload is of the chunk's encoded form. */
  readonly encoded?: boolean | undefined;
}

export interface FrameCodec {
  /**
   * @param into memory of at least header and payload to encode into; the result is a view of it. A payload that already
   *   is at its place there (`CHUNK_FRAME_HEADER_BYTES` from the start) is not copied.
   * @param isSummed false leaves the xxh64 at 0, which only a peer with the capability `unsummed` takes, over lanes with a MAC
   */
  encodeChunk(header: ChunkFrameHeader, payload: Uint8Array, into?: Uint8Array, isSummed?: boolean): Uint8Array;
  /**
   * @param isSealed the lane has its own proof that the bytes are as they were sent, so the xxh64 need not be looked at
   * @throws ModelRtcError `malformed_message`. A damaged payload is not an error: the frame is not `intact`.
   */
  decode(bytes: Uint8Array, isSealed?: boolean): Frame;
}

type Hash = (bytes: Uint8Array) => bigint;

let loading: Promise<FrameCodec> | undefined;

/** The codec of frames. Its xxh64 is WebAssembly, which is compiled once; JavaScript where that cannot be had. */
export function loadFrameCodec(): Promise<FrameCodec> {
  loading ??= loadHash().then(createFrameCodec);
  return loading;
}

async function loadHash(): Promise<Hash> {
  try {
    const { h64Raw } = await xxhash();
    return (bytes) => h64Raw(bytes);
  } catch {
    // A limit on address space (ulimit -v) leaves none for WebAssembly, which takes 10 GB of it to be safe.
    return xxh64;
  }
}

function createFrameCodec(hash: Hash): FrameCodec {
  return {
    encodeChunk(header, payload, into = new Uint8Array(CHUNK_FRAME_HEADER_BYTES + payload.length), isSummed = true) {
      const frame = into.subarray(0, CHUNK_FRAME_HEADER_BYTES + payload.length);
      const inPlace =
        payload.buffer === frame.buffer && payload.byteOffset === frame.byteOffset + CHUNK_FRAME_HEADER_BYTES;
      // First, since the payload may overlap the header's place.
      if (!inPlace) frame.set(payload, CHUNK_FRAME_HEADER_BYTES);
      const fields = [header.request, header.index, header.offset, payload.length] as const;
      const view = writeHead(frame, KIND_CHUNK, fields, header.encoded ? FLAG_ENCODED : 0);
      view.setBigUint64(20, isSummed ? hash(frame.subarray(CHUNK_FRAME_HEADER_BYTES)) : 0n);
      return frame;
    },
    decode(bytes, isSealed = false) {
      if (!isFrame(bytes)) throw malformed('a frame starts with another byte than 0xC1');
      if (bytes[1] === KIND_CHUNK) return decodeChunk(bytes, isSealed ? undefined : hash);
      if (bytes[1] === KIND_FRAGMENT) return decodeFragment(bytes);
      throw malformed('a frame is of an unknown kind');
    },
  };
}

function decodeChunk(bytes: Uint8Array, hash: Hash | undefined): ChunkFrame {
  const { view, flags, fields, payload } = readHead(bytes, CHUNK_FRAME_HEADER_BYTES, FLAG_ENCODED);
  const [request, index, offset] = fields;
  if (offset + payload.length > MAX_CHUNK_BYTES) throw malformed('a frame reaches beyond the longest chunk');
  const intact = hash === undefined || hash(payload) === view.getBigUint64(20);
  return { kind: 'chunk', request, index, offset, encoded: flags === FLAG_ENCODED, payload, intact };
}

function decodeFragment(bytes: Uint8Array): FragmentFrame {
  const { fields, payload } = readHead(bytes, FRAGMENT_HEADER_BYTES);
  const [message, total, offset] = fields;
  if (total > MAX_MESSAGE_BYTES) throw malformed(`a message has ${total} bytes; ${MAX_MESSAGE_BYTES} are allowed`);
  if (offset + payload.length > total) throw malformed('a fragment reaches beyond its message');
  return { kind: 'fragment', message, total, offset, payload };
}
