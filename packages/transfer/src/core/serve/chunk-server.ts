import { type Digest, MAX_BYTES_PER_REQUEST, ModelRtcError } from '@model-rtc/protocol';
import { CHUNK_ENCODING, ChunkCodec } from '../compress/chunk-codec.ts';
import type { Zstd } from '../compress/zstd.ts';
import { PACED_STEP_BYTES } from '../limits.ts';
import type { RateLimiter } from '../rate/rate-limiter.ts';
import { LaneBook, type LaneTurns, type Loan } from './lane-turns.ts';
import { type ModelReader, type OpenModel, ReaderPool } from './reader-pool.ts';

export interface ChunkServerOptions {
  /** Opens a model that may be served; throws for any other. */
  readonly openModel: OpenModel;
  /** Loads what encodes, when somebody first asks for that. Without it chunks always go as they are. */
  readonly loadZstd?: (() => Promise<Zstd>) | undefined;
  /** Bytes before each chunk that are left free for the lane to write its frame's head to. */
  readonly headroomBytes?: number | undefined;
  /** How fast chunks may go out, over all lanes of all peers together; peers get equal shares. */
  readonly pace?: RateLimiter | undefined;
}

/** What is needed of a `RequestContext` of @model-rtc/transport. */
export interface ChunkRequestContext {
  /** Who asks: peers share what may be sent evenly. */
  readonly peer: object;
  /** What the request came over: one lane's requests do not hold up another's. */
  readonly lane: object;
  /** The request was cancelled, or its peer is gone. */
  readonly signal: AbortSignal;
  /**
   * Resolves when there is room for more; the bytes may be overwritten then. `encoded`: they are the chunk's encoded form.
   * `headroom`: they and so many bytes before them are the lane's to overwrite.
   */
  sendChunk(
    index: number,
    bytes: Uint8Array,
    options?: {
      readonly encoded?: boolean | undefined;
      readonly offset?: number | undefined;
      readonly headroom?: number | undefined;
    },
  ): Promise<void>;
}

export interface WantedChunks {
  readonly digest: Digest;
  readonly chunks: readonly { readonly index: number; readonly digest: Digest }[];
  /** How the asker takes chunks besides as they are. */
  readonly encodings?: readonly string[] | undefined;
}

export interface ServedChunks {
  /** Labels of the chunks that the model's reader does not have yet. */
  missing?: number[];
}

/** The handler of `get_chunks`. */
export interface ChunkServer {
  (params: WantedChunks, context: ChunkRequestContext): Promise<ServedChunks>;
  /** Closes the models that it keeps open. */
  close(): Promise<void>;
}

interface Serving {
  readonly reader: ModelReader;
  readonly turns: LaneTurns;
  readonly codec: ChunkCodec | undefined;
  readonly pace: RateLimiter | undefined;
  readonly context: ChunkRequestContext;
  /** What the request had read, before it is encoded: reading and encoding is the work that it is bounded by. */
  readonly read: { bytes: number };
}

/** A chunk that was read; `bytes` are undefined when it is not there yet. */
interface ReadChunk {
  readonly loan: Loan;
  readonly bytes: Uint8Array | undefined;
  readonly encoded: boolean;
  /** Bytes before these that are ours. */
  readonly headroom: number;
}

/**
 * Serves chunks: on each lane the next one is read while the present one is sent, in two buffers. What is sent is not checked
 * here; the receiver checks all, and the reader notices a file that changed. For who offers it, chunks that gain by it are
 * sent encoded.
 *
 * The handler throws what `openModel` and its readers throw (`not_found`, `source_changed`, `refused`), and `bad_argument`
 * when more than MAX_BYTES_PER_REQUEST is asked for.
 */
export function createChunkServer({ openModel, pace, loadZstd, headroomBytes = 0 }: ChunkServerOptions): ChunkServer {
  const readers = new ReaderPool(openModel);
  const lanes = new LaneBook(headroomBytes);
  const paces = new WeakMap<object, RateLimiter>();
  const paceOf = (peer: object): RateLimiter | undefined => {
    const known = paces.get(peer) ?? pace?.share?.() ?? pace;
    if (known !== undefined) paces.set(peer, known);
    return known;
  };
  let codec: Promise<ChunkCodec | undefined> | undefined;
  const codecFor = async ({ encodings }: WantedChunks): Promise<ChunkCodec | undefined> => {
    if (loadZstd === undefined || !encodings?.includes(CHUNK_ENCODING)) return undefined;
    // Where zstd cannot be had, chunks go as they are: the asker takes them as well.
    codec ??= loadZstd().then(
      (zstd) => new ChunkCodec(zstd),
      () => undefined,
    );
    return await codec;
  };
  const serve = async (wanted: WantedChunks, context: ChunkRequestContext): Promise<ServedChunks> => {
    const turns = lanes.turnsOf(context.lane);
    const lastIsRead = await turns.read.enter(context.signal);
    try {
      const codec = await codecFor(wanted);
      const serving = { turns, codec, pace: paceOf(context.peer), context, read: { bytes: 0 } };
      return await readers.use(wanted.digest, (reader) => sendAll({ ...serving, reader }, wanted, lastIsRead));
    } finally {
      lastIsRead();
    }
  };
  return Object.assign(serve, { close: () => readers.close() });
}

async function sendAll(serving: Serving, { chunks }: WantedChunks, lastIsRead: () => void): Promise<ServedChunks> {
  const { turns, context } = serving;
  const { signal } = context;
  const missing: number[] = [];
  let next = readAhead(serving, chunks[0]?.digest);
  const sent = await turns.send.enter(signal).catch((error: unknown) => {
    abandon(next);
    throw error;
  });
  try {
    for (const [place, { index }] of chunks.entries()) {
      const chunk = await (next as Promise<ReadChunk>);
      next = readAhead(serving, chunks[place + 1]?.digest);
      if (next === undefined) lastIsRead();
      if (chunk.bytes === undefined) missing.push(index);
      await sendOne(serving, index, chunk);
    }
  } finally {
    abandon(next);
    sent();
  }
  return missing.length === 0 ? {} : { missing };
}

async function sendOne({ context, pace }: Serving, index: number, chunk: ReadChunk): Promise<void> {
  const { bytes, encoded, headroom, loan } = chunk;
  let isUnused = false;
  try {
    context.signal.throwIfAborted();
    if (bytes !== undefined && pace === undefined) await context.sendChunk(index, bytes, { encoded, headroom });
    else if (bytes !== undefined) await sendPaced({ context, pace }, index, { ...chunk, bytes });
    isUnused = true;
  } finally {
    loan.giveBack(isUnused);
  }
}

/** In small steps, so that a slow rate is a smooth one and the asker sees that the lane lives. */
async function sendPaced(
  { context, pace }: Pick<Serving, 'context' | 'pace'>,
  index: number,
  { bytes, encoded, headroom }: ReadChunk & { readonly bytes: Uint8Array },
): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += PACED_STEP_BYTES) {
    const step = bytes.subarray(offset, offset + PACED_STEP_BYTES);
    await pace?.take(step.length, context.signal);
    await context.sendChunk(index, step, { encoded, offset, headroom });
  }
}

/** Starts to read a chunk. One that fails is noticed when its turn comes, or never when sending failed before. */
function readAhead(serving: Serving, digest: Digest | undefined): Promise<ReadChunk> | undefined {
  if (digest === undefined) return undefined;
  const reading = readOne(serving, digest);
  reading.catch(() => {});
  return reading;
}

async function readOne({ turns, reader, codec, context, read }: Serving, digest: Digest): Promise<ReadChunk> {
  const loan = await turns.borrow(context.signal);
  try {
    const bytes = await reader.readChunk(digest, loan.buffer);
    read.bytes += bytes?.length ?? 0;
    if (read.bytes > MAX_BYTES_PER_REQUEST) throw tooMuch();
    // Over the chunk itself, unless the reader gave memory of its own.
    const isOurs = bytes?.buffer === loan.buffer.buffer;
    const form = bytes && codec?.encode(bytes, isOurs ? bytes : new Uint8Array(bytes.length));
    const headroom = isOurs ? turns.headroomBytes : 0;
    return { loan, bytes: form ?? bytes, encoded: form !== undefined, headroom };
  } catch (error) {
    loan.giveBack(false);
    throw error;
  }
}

/** What was read ahead is not wanted any more. */
function abandon(reading: Promise<ReadChunk> | undefined): void {
  reading?.then(({ loan }) => loan.giveBack(true)).catch(() => {});
}

function tooMuch(): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `One get_chunks request may ask for ${MAX_BYTES_PER_REQUEST} bytes at most; ask for fewer chunks at once.`,
  );
}
