import { CHUNK_BYTES, type Digest, MAX_BYTES_PER_REQUEST, ModelRtcError } from '@model-rtc/protocol';
import { REQUESTS_PER_PEER } from '../limits.ts';
import { type ModelReader, type OpenModel, ReaderPool } from './reader-pool.ts';
import { Slots } from './slots.ts';

export interface ChunkServerOptions {
  /** Opens a model that may be served; throws for any other. */
  readonly openModel: OpenModel;
}

/** What is needed of a `RequestContext` of @model-rtc/transport. */
export interface ChunkRequestContext {
  /** Who asks: one peer's requests do not hold up another's. */
  readonly peer: object;
  /** The request was cancelled, or its peer is gone. */
  readonly signal: AbortSignal;
  /** Resolves when there is room for more; the bytes may be overwritten then. */
  sendChunk(index: number, bytes: Uint8Array): Promise<void>;
}

export interface WantedChunks {
  readonly digest: Digest;
  readonly chunks: readonly { readonly index: number; readonly digest: Digest }[];
}

/** The handler of `get_chunks`. */
export interface ChunkServer {
  (params: WantedChunks, context: ChunkRequestContext): Promise<Record<string, never>>;
  /** Closes the models that it keeps open. */
  close(): Promise<void>;
}

/** One peer's requests: a few are prepared at once, one at a time is sent, so that chunks go out in the order asked for. */
interface Turns {
  readonly prepare: Slots;
  readonly send: Slots;
  /** Pairs of buffers that are used again. */
  readonly spare: Uint8Array[][];
}

/**
 * Serves chunks: the next one is read while the present one is sent, in two buffers a request. What is sent is not checked
 * here; the receiver checks all, and the reader notices a file that changed.
 *
 * The handler throws what `openModel` and its readers throw (`not_found`, `source_changed`, `refused`), and `bad_argument`
 * when more than MAX_BYTES_PER_REQUEST is asked for.
 */
export function createChunkServer({ openModel }: ChunkServerOptions): ChunkServer {
  const readers = new ReaderPool(openModel);
  const known = new WeakMap<object, Turns>();
  const turnsOf = (peer: object): Turns => {
    const turns = known.get(peer) ?? { prepare: new Slots(REQUESTS_PER_PEER), send: new Slots(1), spare: [] };
    known.set(peer, turns);
    return turns;
  };
  const serve = async (wanted: WantedChunks, context: ChunkRequestContext): Promise<Record<string, never>> => {
    const turns = turnsOf(context.peer);
    await turns.prepare.use(context.signal, () =>
      readers.use(wanted.digest, (reader) => sendAll(reader, wanted, { context, turns })),
    );
    return {};
  };
  return Object.assign(serve, { close: () => readers.close() });
}

async function sendAll(
  reader: ModelReader,
  { chunks }: WantedChunks,
  { context, turns }: { context: ChunkRequestContext; turns: Turns },
): Promise<void> {
  const { signal } = context;
  const buffers = turns.spare.pop() ?? [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  const read = (place: number): Promise<Uint8Array> | undefined => {
    const chunk = chunks[place];
    return chunk && settledLater(reader.readChunk(chunk.digest, buffers[place % 2]));
  };
  let sentBytes = 0;
  let next = read(0);
  await turns.send.use(signal, async () => {
    for (const [place, { index }] of chunks.entries()) {
      const bytes = await (next as Promise<Uint8Array>);
      signal.throwIfAborted();
      sentBytes += bytes.length;
      if (sentBytes > MAX_BYTES_PER_REQUEST) throw tooMuch();
      next = read(place + 1);
      await context.sendChunk(index, bytes);
    }
  });
  // Not after a failure: a read into one of them may be under way still.
  turns.spare.push(buffers);
}

/** A read ahead that fails is noticed when its turn comes, or never when sending failed before. */
function settledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function tooMuch(): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `One get_chunks request may ask for ${MAX_BYTES_PER_REQUEST} bytes at most; ask for fewer chunks at once.`,
  );
}
