import {
  CHUNK_FRAME_HEADER_BYTES,
  cancelledBy,
  type Deferred,
  deferred,
  encodeFragments,
  encodeMessage,
  type FrameCodec,
  type Message,
  ModelRtcError,
} from '@model-rtc/protocol';
import type { Lane } from '../lane/lane.ts';
import { tooLongError } from './errors.ts';
import { MAX_FRAME_BYTES, MAX_WAITING_MESSAGES } from './limits.ts';
import type { SendChunkOptions } from './peer.ts';

export interface SendSchedulerOptions {
  readonly lane: Lane;
  readonly codec: FrameCodec;
  /** The longest message that the other side takes. */
  readonly maxMessageBytes: number;
  /** Whether frames of chunks have their xxh64. */
  readonly isSummed: boolean;
  /** The other side lets its answers pile up. */
  readonly onFlooded: (error: ModelRtcError) => void;
}

export interface OutgoingChunk extends SendChunkOptions {
  readonly request: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

interface SmallItem {
  readonly bytes: Uint8Array;
  readonly sent: Deferred<void>;
}

/** A message in fragments. It is encoded when its turn comes: many that wait hold no bytes. */
interface LargeItem {
  readonly message: Message;
  frames: Iterator<Uint8Array> | undefined;
  readonly sent: Deferred<void>;
}

interface ChunkItem {
  readonly chunk: OutgoingChunk;
  /** Frames are cut evenly, so that none is a crumb. */
  readonly step: number;
  offset: number;
  readonly sent: Deferred<void>;
}

/**
 * What waits to be sent over one lane. Small messages (answers, pings, cancels) go before everything else; long messages
 * and chunks take turns frame by frame. Chunks go one after another, so that each is whole as soon as it can be; a
 * request sends its chunks one by one, so the requests take turns. One frame at a time is with the lane: where the chunk is, when
 * there is room for the head before it, else in one buffer.
 */
export class SendScheduler {
  readonly #options: SendSchedulerOptions;
  readonly #frameBytes: number;
  readonly #small: SmallItem[] = [];
  readonly #large: LargeItem[] = [];
  readonly #chunks: ChunkItem[] = [];
  #frameBuffer: Uint8Array | undefined;
  #chunkWasLast = false;
  #pumping = false;
  #ended: ModelRtcError | undefined;
  #nextMessageId = 0;

  constructor(options: SendSchedulerOptions) {
    this.#options = options;
    this.#frameBytes = Math.min(options.lane.maxMessageSize, MAX_FRAME_BYTES[options.lane.kind]);
  }

  /**
   * Resolves when the message is with the lane.
   * @throws ModelRtcError `bad_argument` when it is longer than the other side takes; what ended the lane.
   */
  async sendMessage(message: Message): Promise<void> {
    this.#assertOpen();
    const bytes = this.#encode(message);
    const sent = deferred<void>();
    if (bytes.length <= this.#frameBytes) this.#small.push({ bytes, sent });
    else this.#large.push({ message, frames: undefined, sent });
    if (this.#small.length > MAX_WAITING_MESSAGES) this.#flooded();
    this.#startPump();
    await sent.promise;
  }

  /** Resolves when all frames of the chunk are with the lane. @throws ModelRtcError the signal's; what ended the lane. */
  async sendChunk(chunk: OutgoingChunk, signal: AbortSignal): Promise<void> {
    this.#assertOpen();
    if (signal.aborted) throw cancelledBy(signal);
    if (chunk.bytes.length === 0) return;
    const room = this.#frameBytes - CHUNK_FRAME_HEADER_BYTES;
    const step = Math.ceil(chunk.bytes.length / Math.ceil(chunk.bytes.length / room));
    const item: ChunkItem = { chunk, step, offset: 0, sent: deferred<void>() };
    const onAbort = () => {
      remove(this.#chunks, item);
      item.sent.reject(cancelledBy(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#chunks.push(item);
    this.#startPump();
    try {
      await item.sent.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Nothing more is sent; what waits fails. */
  end(error: ModelRtcError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    const waiting = [...this.#small.splice(0), ...this.#large.splice(0), ...this.#chunks.splice(0)];
    for (const item of waiting) item.sent.reject(error);
  }

  /** Chunks and long messages that wait fail; small messages still go out. For the time between deciding to close and bye. */
  dropBulk(error: ModelRtcError): void {
    for (const item of [...this.#large.splice(0), ...this.#chunks.splice(0)]) item.sent.reject(error);
  }

  #encode(message: Message): Uint8Array {
    const bytes = encodeMessage(message);
    const takes = this.#options.maxMessageBytes;
    if (bytes.length > takes) throw tooLongError(bytes.length, takes);
    return bytes;
  }

  #startPump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      while (this.#ended === undefined) {
        if (this.#small.length > 0) await this.#sendSmall();
        else if (this.#large.length > 0 && (this.#chunkWasLast || this.#chunks.length === 0))
          await this.#sendFragment();
        else if (this.#chunks.length > 0) await this.#sendFrame();
        else return;
      }
    } catch (error) {
      this.end(ModelRtcError.from(error));
    } finally {
      this.#pumping = false;
    }
  }

  async #sendSmall(): Promise<void> {
    const item = this.#small.shift();
    if (item === undefined) return;
    await this.#give(item, item.bytes);
    item.sent.resolve();
  }

  async #sendFragment(): Promise<void> {
    const item = this.#large[0];
    if (item === undefined) return;
    this.#chunkWasLast = false;
    item.frames ??= this.#fragments(item.message);
    const { done, value } = item.frames.next();
    if (value !== undefined) await this.#give(item, value);
    if (!done) return;
    remove(this.#large, item);
    item.sent.resolve();
  }

  #fragments(message: Message): Iterator<Uint8Array> {
    this.#nextMessageId = (this.#nextMessageId + 1) >>> 0;
    const fragments = encodeFragments(this.#encode(message), this.#nextMessageId, this.#frameBytes);
    return fragments[Symbol.iterator]();
  }

  async #sendFrame(): Promise<void> {
    const item = this.#chunks[0];
    if (item === undefined) return;
    this.#chunkWasLast = true;
    const { codec, isSummed } = this.#options;
    const { request, index, bytes, encoded = false, offset = 0, headroom = 0 } = item.chunk;
    const payload = bytes.subarray(item.offset, item.offset + item.step);
    const header = { request, index, offset: offset + item.offset, encoded };
    const frame = codec.encodeChunk(header, payload, this.#memoryFor(payload, headroom), isSummed);
    item.offset += payload.length;
    await this.#give(item, frame, Math.max(0, headroom - CHUNK_FRAME_HEADER_BYTES));
    if (item.offset < bytes.length) return;
    remove(this.#chunks, item);
    item.sent.resolve();
  }

  /** Before all but the first frame of a chunk is what the lane has had already. */
  #memoryFor(payload: Uint8Array, headroom: number): Uint8Array {
    if (headroom >= CHUNK_FRAME_HEADER_BYTES) {
      const start = payload.byteOffset - CHUNK_FRAME_HEADER_BYTES;
      return new Uint8Array(payload.buffer, start, CHUNK_FRAME_HEADER_BYTES + payload.length);
    }
    this.#frameBuffer ??= new Uint8Array(this.#frameBytes);
    return this.#frameBuffer;
  }

  async #give(item: { readonly sent: Deferred<void> }, bytes: Uint8Array, headroom = 0): Promise<void> {
    try {
      await this.#options.lane.send(bytes, headroom);
    } catch (error) {
      item.sent.reject(ModelRtcError.from(error));
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #flooded(): void {
    this.#options.onFlooded(
      new ModelRtcError(
        'refused',
        'The other side sends requests without reading the answers; the connection was closed.',
      ),
    );
  }
}

function remove<T>(items: T[], item: T): void {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
}
