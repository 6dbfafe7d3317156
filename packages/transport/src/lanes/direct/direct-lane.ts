import { ModelRtcError } from '@model-rtc/protocol';
import type { Lane, LaneStats } from '../../core/lane/lane.ts';
import {
  assertMessageFits,
  LaneEnd,
  laneAbortedError,
  laneClosedError,
  laneLostError,
} from '../../core/lane/lane-end.ts';
import { LaneQueue } from '../../core/lane/lane-queue.ts';
import { END_WORD, FrameReader, HEARD_WORD } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import {
  CLOSE_PATIENCE_MS,
  HEARD_INTERVAL_MS,
  MAX_MESSAGE_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  READ_WINDOW_BYTES,
} from './limits.ts';
import type { TlsStream } from './tls-stream.ts';

/** `closing`: this side ends the lane, flushes, and waits for the other's end. `over`: what still arrives is dropped. */
type State = 'open' | 'closing' | 'over';

/** A lane over a TLS connection on which both sides have greeted; docs/protocol.md has what is on the wire. */
export class DirectLane implements Lane {
  readonly kind = 'direct';
  readonly engine = undefined;
  readonly maxMessageSize: number;
  readonly #stream: TlsStream;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader;
  readonly #end = new LaneEnd();
  readonly #queue = new LaneQueue((message) => this.#onTaken(message));
  #state: State = 'open';
  #ownEndIsOut = false;
  #otherEnded = false;
  #patience: NodeJS.Timeout | undefined;
  #unreadBytes = 0;
  #paused = false;
  /** Once a message is dropped, all later ones are, so that the reader sees no gaps. */
  #dropping = false;
  #saidHeardAtMs = performance.now();
  #sentBytes = 0;
  #receivedBytes = 0;
  #heard = 0;

  /** @param otherTakes the longest message that the other side takes */
  constructor(stream: TlsStream, otherTakes: number) {
    this.maxMessageSize = Math.min(otherTakes, MAX_MESSAGE_BYTES);
    this.#stream = stream;
    this.#writer = new FrameWriter(stream.socket);
    this.#reader = new FrameReader(this.maxMessageSize, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: () => this.#onEnd(),
    });
    stream.onBytes = (bytes) => this.#onBytes(bytes);
    stream.socket.on('error', (cause) => this.#onGone(cause));
    stream.socket.on('end', () => this.#onGone(new Error('the other side closed the connection without a word')));
    stream.socket.on('close', () => this.#onClose());
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#queue;
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#end.closed;
  }

  stats(): LaneStats {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes, heard: this.#heard };
  }

  async send(message: Uint8Array, headroom = 0): Promise<void> {
    if (this.#state !== 'open') throw this.#end.sendError();
    assertMessageFits(message, this.maxMessageSize);
    this.#sentBytes += message.byteLength;
    const room = this.#writer.add(message, headroom);
    if (room !== undefined) await room;
  }

  /**
   * Gives back the memory of a message to be reused. This is optional, but a fast transfer
   * uses much less of the processor with it. The message belongs to the lane from then on.
   */
  recycle(message: Uint8Array): void {
    this.#reader.recycle(message);
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#resume();
      this.#watchEnding();
      this.#sayEnd();
    }
    await this.#end.closed;
  }

  abort(reason: ModelRtcError = laneAbortedError()): void {
    this.#fail(reason);
  }

  #onBytes(bytes: Uint8Array): void {
    this.#heard += bytes.byteLength;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#fail(ModelRtcError.from(error));
    }
    const nowMs = performance.now();
    if (this.#state === 'over' || nowMs - this.#saidHeardAtMs < HEARD_INTERVAL_MS) return;
    this.#saidHeardAtMs = nowMs;
    this.#writer.say(HEARD_WORD);
  }

  #onMessage(message: Uint8Array): void {
    if (this.#state === 'over') return;
    // A slow reader may hold up the other side, but not the end.
    this.#dropping ||= this.#state === 'closing' && this.#unreadBytes > READ_WINDOW_BYTES;
    if (this.#dropping) return;
    this.#receivedBytes += message.byteLength;
    this.#unreadBytes += message.byteLength + MESSAGE_OVERHEAD_BYTES;
    this.#queue.push(message);
    if (this.#unreadBytes <= READ_WINDOW_BYTES || this.#paused || this.#state === 'closing') return;
    this.#paused = true;
    this.#stream.socket.pause();
  }

  #onTaken(message: Uint8Array): void {
    this.#unreadBytes -= message.byteLength + MESSAGE_OVERHEAD_BYTES;
    if (this.#unreadBytes <= READ_WINDOW_BYTES / 2) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.socket.resume();
  }

  /** A side that hears the end only sends its own end; one that is closing too flushes first. */
  #onEnd(): void {
    this.#otherEnded = true;
    if (this.#state === 'closing') this.#settleIfBothEnded();
    if (this.#state !== 'open') return;
    this.#over(undefined);
    this.#watchEnding();
    this.#sayEnd();
  }

  #sayEnd(): void {
    this.#writer.finish(END_WORD, () => {
      this.#ownEndIsOut = true;
      this.#stream.socket.end();
      this.#settleIfBothEnded();
    });
  }

  /** Lets the connection end by itself, at once: destroying it could lose what the other side has not read. */
  #settleIfBothEnded(): void {
    if (this.#ownEndIsOut && this.#otherEnded) this.#over(undefined);
  }

  /** Resumes reading even after the end of the lane, since the connection goes on. */
  #watchEnding(): void {
    let before = -1;
    this.#patience = setInterval(() => {
      const progress = this.#heard + this.#writer.writtenBytes;
      if (progress === before) this.#fail(laneLostError(new Error('the other side did not confirm the end')));
      before = progress;
    }, CLOSE_PATIENCE_MS / 2);
  }

  /** The connection's end is the lane's end, unless the other side said its end before. */
  #onGone(cause: unknown): void {
    if (!this.#otherEnded) this.#fail(laneLostError(cause));
  }

  #onClose(): void {
    clearInterval(this.#patience);
    if (this.#state !== 'over') this.#over(laneLostError(new Error('the connection was closed')));
  }

  #fail(error: ModelRtcError): void {
    this.#over(error);
    this.#stream.socket.destroy();
  }

  #over(error: ModelRtcError | undefined): void {
    this.#state = 'over';
    if (!this.#end.settle(error)) return;
    this.#queue.end();
    this.#writer.drop(error ?? laneClosedError());
    this.#resume();
  }
}
