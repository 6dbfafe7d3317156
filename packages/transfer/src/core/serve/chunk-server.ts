import { type Digest, MAX_BYTES_PER_REQUEST, ModelRtcError, type Params, type Result } from '@model-rtc/protocol';
import type { RequestContext } from '@model-rtc/transport';
import { CHUNK_ENCODING, ChunkCodec } from '../compress/chunk-codec.ts';
import type { Zstd } from '../compress/zstd.ts';
import { LIMITED_STEP_BYTES } from '../limits.ts';
import type { RateLimiter } from '../rate/rate-limiter.ts';
import { FirstCopies } from './first-copies.ts';
import { LaneBook, type LaneTurns, type Loan } from './lane-turns.ts';
import { type ModelReader, type OpenModel, ReaderPool } from './reader-pool.ts';

export interface ChunkServerOptions {
  /** Opens a model that may be served; throws for any other. */
  readonly openModel: OpenModel;
  /** Loads zstd, when someone first asks for encoded chunks. Without it chunks always go as they are. */
  readonly loadZstd?: (() => Promise<Zstd>) | undefined;
  /** Bytes that are left free before each chunk, for the lane to write its frame's head to. */
  readonly headroomBytes?: number | undefined;
  /** How fast chunks may go out, over all lanes of all peers together; peers get equal shares. */
  readonly limiter?: RateLimiter | undefined;
}

/** The part of a `RequestContext` of @model-rtc/transport that serving needs. */
export interface ChunkRequestContext extends Pick<RequestContext, 'signal' | 'sendChunk'> {
  /** Who asks: peers get equal shares of what may be sent. */
  readonly peer: object;
  /** What the request came over: the requests of one lane do not hold up those of another. */
  readonly lane: object;
}

export type WantedChunks = Params<'get_chunks'>;
/** `missing`: labels of the chunks that the model's reader does not have yet. */
export type ServedChunks = Result<'get_chunks'>;

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
  readonly limiter: RateLimiter | undefined;
  readonly context: ChunkRequestContext;
  /** For askers that pass chunks on to each other. */
  readonly copies: FirstCopies | undefined;
  /** What was read for the request, before encoding: the request is bounded by the work of reading and encoding. */
  readonly read: { bytes: number };
}

/** A chunk that was read; `bytes` is undefined when it is not there yet, or left to another asker. */
interface ReadChunk {
  readonly digest: Digest;
  readonly loan: Loan;
  readonly bytes: Uint8Array | undefined;
  readonly encoded: boolean;
  /** Bytes before it in the same memory that the lane may overwrite. */
  readonly headroom: number;
}

/**
 * Serves chunks: on each lane the next one is read while the current one is sent, in two buffers. Nothing is checked here:
 * the receiver checks everything, and the reader notices a file that changed. A chunk is sent encoded when the asker accepts
 * that and it gets shorter.
 *
 * The handler throws what `openModel` and its readers throw (`not_found`, `source_changed`, `refused`), and `bad_argument`
 * when more than MAX_BYTES_PER_REQUEST is asked for.
 */
export function createChunkServer({
  openModel,
  limiter,
  loadZstd,
  headroomBytes = 0,
}: ChunkServerOptions): ChunkServer {
  const readers = new ReaderPool(openModel);
  const lanes = new LaneBook(headroomBytes);
  const copies = new FirstCopies();
  const limiters = new WeakMap<object, RateLimiter>();
  const limiterOf = (peer: object): RateLimiter | undefined => {
    const known = limiters.get(peer) ?? limiter?.share?.() ?? limiter;
    if (known !== undefined) limiters.set(peer, known);
    return known;
  };
  let codec: Promise<ChunkCodec | undefined> | undefined;
  const codecFor = async ({ encodings }: WantedChunks): Promise<ChunkCodec | undefined> => {
    if (loadZstd === undefined || !encodings?.includes(CHUNK_ENCODING)) return undefined;
    // Without zstd chunks go as they are: the asker accepts those too.
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
      const shared = wanted.shared ? copies : undefined;
      const serving = {
        ...{ turns, codec, limiter: limiterOf(context.peer), context, copies: shared },
        read: { bytes: 0 },
      };
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
      if (!(await sendOne(serving, index, chunk))) missing.push(index);
    }
  } finally {
    abandon(next);
    sent();
  }
  return missing.length === 0 ? {} : { missing };
}

/** @returns false when it is not here yet, or left to another asker */
async function sendOne(serving: Serving, index: number, { bytes, ...chunk }: ReadChunk): Promise<boolean> {
  const { context, limiter, copies } = serving;
  const { digest, encoded, headroom, loan } = chunk;
  let isUnused = false;
  try {
    context.signal.throwIfAborted();
    // Another asker may have been sent it since it was read.
    const isSent = bytes !== undefined && copies?.begin(digest, context.peer, performance.now()) !== false;
    if (isSent && (limiter?.room() ?? OPEN) === OPEN) await context.sendChunk(index, bytes, { encoded, headroom });
    else if (isSent) await sendInSteps({ context, limiter, copies }, index, { ...chunk, bytes });
    isUnused = true;
    if (isSent) copies?.sent(digest, context.peer, performance.now(), bytes.length);
    return isSent;
  } finally {
    if (!isUnused) copies?.failed(digest, context.peer);
    loan.giveBack(isUnused);
  }
}

/** Sends in small steps, so that a slow rate is a smooth one and the asker sees that the lane is alive. */
async function sendInSteps(
  { context, limiter, copies }: Pick<Serving, 'context' | 'limiter' | 'copies'>,
  index: number,
  { bytes, encoded, headroom, digest }: ReadChunk & { readonly bytes: Uint8Array },
): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += LIMITED_STEP_BYTES) {
    const step = bytes.subarray(offset, offset + LIMITED_STEP_BYTES);
    await limiter?.take(step.length, context.signal);
    await context.sendChunk(index, step, { encoded, offset, headroom });
    copies?.progressed(digest, context.peer, performance.now());
  }
}

/** Starts to read a chunk. A failure is noticed when its turn comes, or never when sending failed before. */
function readAhead(serving: Serving, digest: Digest | undefined): Promise<ReadChunk> | undefined {
  if (digest === undefined) return undefined;
  const reading = readOne(serving, digest);
  reading.catch(() => {});
  return reading;
}

async function readOne(serving: Serving, digest: Digest): Promise<ReadChunk> {
  const { turns, reader, codec, context, read, copies } = serving;
  if (copies?.isLeftToAnother(digest, context.peer, performance.now())) {
    return { digest, loan: NO_LOAN, bytes: undefined, encoded: false, headroom: 0 };
  }
  const loan = await turns.borrow(context.signal);
  try {
    const bytes = await reader.readChunk(digest, loan.buffer);
    read.bytes += bytes?.length ?? 0;
    if (read.bytes > MAX_BYTES_PER_REQUEST) throw tooMuch();
    // Encode in place, unless the reader returned memory of its own.
    const isOurs = bytes?.buffer === loan.buffer.buffer;
    const form = bytes && codec?.encode(bytes, isOurs ? bytes : new Uint8Array(bytes.length));
    const headroom = isOurs ? turns.headroomBytes : 0;
    return { digest, loan, bytes: form ?? bytes, encoded: form !== undefined, headroom };
  } catch (error) {
    loan.giveBack(false);
    throw error;
  }
}

/** Gives back what was read ahead and is no longer wanted. */
function abandon(reading: Promise<ReadChunk> | undefined): void {
  reading?.then(({ loan }) => loan.giveBack(true)).catch(() => {});
}

/** What a limiter has room for while it limits nothing. */
const OPEN = Number.POSITIVE_INFINITY;

const NO_LOAN: Loan = { buffer: new Uint8Array(0), giveBack: () => {} };

function tooMuch(): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `One get_chunks request may ask for at most ${MAX_BYTES_PER_REQUEST} bytes. Ask for fewer chunks at once.`,
  );
}
