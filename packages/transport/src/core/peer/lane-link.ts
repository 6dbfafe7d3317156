import {
  type ChunkFrame,
  type Clock,
  decodeKnownMessage,
  deferred,
  FRAGMENT_GAP_MS,
  FragmentAssembler,
  type FrameCodec,
  isFrame,
  isUnknownFrame,
  MAX_PLAIN_MESSAGE_BYTES,
  type Message,
  ModelRtcError,
} from '@model-rtc/protocol';

import type { Lane, LaneKind } from '../lane/lane.ts';
import { notUnderstoodError, peerEndedError } from './errors.ts';
import { LONGEST_CLOSE_MS, RTT_INTERVAL_MS } from './limits.ts';
import { Liveness } from './liveness.ts';
import type { MessageBudget } from './message-budget.ts';
import type { LaneInfo } from './peer.ts';
import { type OutgoingChunk, SendScheduler } from './send-scheduler.ts';

export interface LaneLinkOptions {
  /** What this side calls the lane. */
  readonly id: number;
  readonly lane: Lane;
  readonly codec: FrameCodec;
  /** The longest message that the other side takes. */
  readonly maxMessageBytes: number;
  /** Whether the other side takes frames without their xxh64 where the lane has a MAC. */
  readonly takesUnsummed: boolean;
  readonly clock: Clock;
  /** @throws ModelRtcError `malformed_message` for a message that makes no sense. */
  readonly onMessage: (message: Message) => void;
  readonly onChunk: (frame: ChunkFrame) => void;
  /** A piece of a long message arrived. */
  readonly onFragment: () => void;
  /**
   * Asked about a message of more than `MAX_PLAIN_MESSAGE_BYTES` before it is joined or decoded.
   * @param first the message, or its first fragment. @returns false when it is passed over.
   * @throws ModelRtcError `malformed_message` for one that nobody may send.
   */
  readonly admitLong: (first: Uint8Array, totalBytes: number) => boolean;
  /** What messages may take while they are joined. */
  readonly budget: MessageBudget;
  /** Called once, when the lane is over: undefined when it ended in order, else why. */
  readonly onEnd: (error: ModelRtcError | undefined) => void;
}

/** Each record of these lanes has a MAC of its own, so no frame of theirs is damaged unnoticed. */
const SEALED: readonly LaneKind[] = ['direct', 'relay'];
/** A lane that carried this much since the last look is busy. */
const BUSY_BYTES = 64 * 1024;

/** One lane of a peer: what it brings is taken apart, what goes out waits its turn, and its silence is noticed. */
export class LaneLink {
  readonly #options: LaneLinkOptions;
  readonly #sendScheduler: SendScheduler;
  readonly #assembler: FragmentAssembler;
  #stopWaiting: () => void = () => {};
  readonly #liveness: Liveness;
  #pinging = false;
  #ponging: { nonce: number } | undefined;
  #nonce = 0;
  #pingedAtMs = 0;
  #rttMs: number | undefined;
  #stopMeasuring: () => void = () => {};
  #ended = false;
  readonly #over = deferred<ModelRtcError | undefined>();

  constructor(options: LaneLinkOptions) {
    const { lane, codec, maxMessageBytes, takesUnsummed, clock } = options;
    this.#options = options;
    this.#assembler = new FragmentAssembler({
      admit: (first, totalBytes) => this.#admit(first, totalBytes),
      release: (totalBytes) => options.budget.give(totalBytes),
    });
    const onFlooded = (error: ModelRtcError) => this.#end(error);
    const isSummed = !(takesUnsummed && SEALED.includes(lane.kind));
    this.#sendScheduler = new SendScheduler({ lane, codec, maxMessageBytes, isSummed, onFlooded });
    this.#liveness = new Liveness({ lane, clock, ping: () => void this.#ping(), onGone: (error) => this.#end(error) });
    // The round trip of a path on which nothing waits yet tells how long the path is.
    void this.#ping();
    this.#measureLater();
    void this.#read();
  }

  info(): LaneInfo {
    const { id, lane } = this.#options;
    const { kind, engine } = lane;
    const { sentBytes, receivedBytes } = lane.stats();
    return { id, kind, engine, sentBytes, receivedBytes, rttMs: this.#rttMs };
  }

  /** Resolves when the lane is over: undefined for an orderly end, else why. */
  get closed(): Promise<ModelRtcError | undefined> {
    return this.#over.promise;
  }

  /** Whether it has ended or is ending. */
  get isOver(): boolean {
    return this.#ended;
  }

  sendMessage(message: Message): Promise<void> {
    return this.#sendScheduler.sendMessage(message);
  }

  sendChunk(chunk: OutgoingChunk, signal: AbortSignal): Promise<void> {
    return this.#sendScheduler.sendChunk(chunk, signal);
  }

  /** Ends the lane as one that was lost: its peer is told. */
  fail(why: ModelRtcError): void {
    if (this.#ended) return;
    this.#sendScheduler.end(why);
    this.#options.lane.abort(why);
    this.#end(why);
  }

  /** Ends the lane in order while its peer goes on without it. */
  async retire(): Promise<void> {
    if (this.#ended) return;
    this.#end(undefined);
    await this.close(undefined, peerEndedError(undefined));
  }

  /** Sends the last message, ahead of chunks and long messages, and closes the lane in order. It never rejects. */
  async close(last: Message | undefined, why: ModelRtcError): Promise<void> {
    this.#stop(why);
    this.#sendScheduler.dropBulk(why);
    try {
      if (last !== undefined) await this.#sendScheduler.sendMessage(last);
    } catch {
      // The lane is gone already, and so the other side knows.
    }
    this.#sendScheduler.end(why);
    const { lane, clock } = this.#options;
    // The other side may never end it.
    const stopTimer = clock.after(LONGEST_CLOSE_MS, () => lane.abort(why));
    await lane.close();
    stopTimer();
  }

  abort(why: ModelRtcError): void {
    this.#stop(why);
    this.#sendScheduler.end(why);
    this.#options.lane.abort(why);
  }

  async #read(): Promise<void> {
    const { lane } = this.#options;
    try {
      for await (const bytes of lane.messages) {
        if (this.#ended) return;
        this.#take(bytes);
      }
      this.#end(await lane.closed);
    } catch (error) {
      const known = ModelRtcError.from(error);
      this.#end(known.code === 'malformed_message' ? notUnderstoodError(known) : known);
    }
  }

  #take(bytes: Uint8Array): void {
    if (isFrame(bytes)) this.#takeFrame(bytes);
    else if (bytes.length <= MAX_PLAIN_MESSAGE_BYTES || this.#options.admitLong(bytes, bytes.length))
      this.#decode(bytes);
  }

  #decode(bytes: Uint8Array): void {
    const message = decodeKnownMessage(bytes);
    if (message !== undefined) this.#takeMessage(message);
  }

  #admit(first: Uint8Array, totalBytes: number): boolean {
    const { admitLong, budget } = this.#options;
    if (totalBytes > MAX_PLAIN_MESSAGE_BYTES && !admitLong(first, totalBytes)) return false;
    if (budget.take(totalBytes)) return true;
    throw tooManyPartsError();
  }

  #takeFrame(bytes: Uint8Array): void {
    if (isUnknownFrame(bytes)) return;
    const { codec, lane, onChunk } = this.#options;
    const frame = codec.decode(bytes, SEALED.includes(lane.kind));
    if (frame.kind === 'chunk') {
      onChunk(frame);
      lane.recycle?.(bytes);
      return;
    }
    this.#options.onFragment();
    const whole = this.#assembler.add(frame);
    this.#watchGap();
    if (whole !== undefined) this.#decode(whole);
  }

  /** Fragments that do not go on hold memory for nothing. */
  #watchGap(): void {
    this.#stopWaiting();
    if (!this.#assembler.isWaiting) return;
    this.#stopWaiting = this.#options.clock.after(FRAGMENT_GAP_MS, () => this.#end(unfinishedError()));
  }

  #takeMessage(message: Message): void {
    if (message.type === 'ping') void this.#pong(message.nonce);
    else if (message.type === 'pong') this.#onPong(message.nonce);
    else this.#options.onMessage(message);
  }

  /** While data flows, the round trip is worth knowing; an idle lane is only pinged for whether it lives. */
  #measureLater(): void {
    const { lane, clock } = this.#options;
    const { sentBytes, receivedBytes } = lane.stats();
    this.#stopMeasuring = clock.after(RTT_INTERVAL_MS, () => {
      const now = lane.stats();
      if (now.sentBytes + now.receivedBytes - sentBytes - receivedBytes >= BUSY_BYTES) void this.#ping();
      this.#measureLater();
    });
  }

  /** One at a time: while one waits for room, another says nothing more. */
  async #ping(): Promise<void> {
    if (this.#pinging) return;
    this.#pinging = true;
    this.#nonce = (this.#nonce + 1) >>> 0;
    this.#pingedAtMs = this.#options.clock.nowMs();
    await this.#sendScheduler.sendMessage({ type: 'ping', nonce: this.#nonce }).catch(() => {});
    this.#pinging = false;
  }

  #onPong(nonce: number): void {
    if (nonce === this.#nonce) this.#rttMs = this.#options.clock.nowMs() - this.#pingedAtMs;
  }

  /** Only the latest of the pings that came meanwhile is answered, so that a flood of them costs nothing. */
  async #pong(nonce: number): Promise<void> {
    const isGoing = this.#ponging !== undefined;
    this.#ponging = { nonce };
    if (isGoing) return;
    try {
      for (let answered = -1; this.#ponging.nonce !== answered; ) {
        answered = this.#ponging.nonce;
        await this.#sendScheduler.sendMessage({ type: 'pong', nonce: answered });
      }
    } catch {
      // The lane is gone, and the pinging side with it.
    }
    this.#ponging = undefined;
  }

  #end(error: ModelRtcError | undefined): void {
    if (this.#ended) return;
    this.#stop(error);
    this.#options.onEnd(error);
  }

  #stop(error: ModelRtcError | undefined): void {
    this.#ended = true;
    // Messages that are not whole never will be.
    this.#assembler.clear();
    this.#stopWaiting();
    this.#liveness.stop();
    this.#stopMeasuring();
    this.#over.resolve(error);
  }
}

function unfinishedError(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side started a message and sent nothing more of it for ${FRAGMENT_GAP_MS / 1000} s.`,
  );
}

function tooManyPartsError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'Too many unfinished messages are on their way to this side; try again in a moment.',
  );
}
