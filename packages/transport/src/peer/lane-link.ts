import {
  type ChunkFrame,
  decodeMessage,
  FragmentAssembler,
  type Frame,
  type FrameCodec,
  isFrame,
  type Message,
  ModelRtcError,
} from '@model-rtc/protocol';
import type { Timers } from '@model-rtc/signaling';
import type { Lane } from '../lane.ts';
import { garbageError } from './errors.ts';
import { Liveness } from './liveness.ts';
import { Outbox, type OutgoingChunk } from './outbox.ts';
import type { LaneInfo } from './peer.ts';

export interface LaneLinkOptions {
  readonly lane: Lane;
  readonly codec: FrameCodec;
  /** The longest message that the other side takes. */
  readonly maxMessageBytes: number;
  readonly timers: Timers;
  /** @throws ModelRtcError `malformed_message` for a message that makes no sense. */
  readonly onMessage: (message: Message) => void;
  readonly onChunk: (frame: ChunkFrame) => void;
  /** A piece of a long message arrived. */
  readonly onFragment: () => void;
  /** Called once, when the lane is of no more use: undefined when it ended in order, else why. */
  readonly onEnd: (error: ModelRtcError | undefined) => void;
}

/** One lane of a peer: what it brings is taken apart, what goes out waits its turn, and its silence is noticed. */
export class LaneLink {
  readonly #options: LaneLinkOptions;
  readonly #outbox: Outbox;
  readonly #assembler = new FragmentAssembler();
  readonly #liveness: Liveness;
  #pinging = false;
  #ponging: { nonce: number } | undefined;
  #nonce = 0;
  #ended = false;

  constructor(options: LaneLinkOptions) {
    const { lane, codec, maxMessageBytes, timers } = options;
    this.#options = options;
    const onFlooded = (error: ModelRtcError) => this.#end(error);
    this.#outbox = new Outbox({ lane, codec, maxMessageBytes, onFlooded });
    this.#liveness = new Liveness({ lane, timers, ping: () => void this.#ping(), onGone: (error) => this.#end(error) });
    void this.#read();
  }

  get info(): LaneInfo {
    const { kind, engine } = this.#options.lane;
    const { sentBytes, receivedBytes } = this.#options.lane.stats();
    return { kind, engine, sentBytes, receivedBytes };
  }

  sendMessage(message: Message): Promise<void> {
    return this.#outbox.sendMessage(message);
  }

  sendChunk(chunk: OutgoingChunk, signal: AbortSignal): Promise<void> {
    return this.#outbox.sendChunk(chunk, signal);
  }

  /** Sends the last message, ahead of chunks and long messages, and closes the lane in order. It never rejects. */
  async close(last: Message | undefined, why: ModelRtcError): Promise<void> {
    this.#ended = true;
    this.#liveness.stop();
    this.#outbox.dropBulk(why);
    try {
      if (last !== undefined) await this.#outbox.sendMessage(last);
    } catch {
      // The lane is gone already, and so the other side knows.
    }
    this.#outbox.end(why);
    await this.#options.lane.close();
  }

  abort(why: ModelRtcError): void {
    this.#ended = true;
    this.#liveness.stop();
    this.#outbox.end(why);
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
      this.#end(known.code === 'malformed_message' ? garbageError(known) : known);
    }
  }

  #take(bytes: Uint8Array): void {
    if (isFrame(bytes)) this.#takeFrame(this.#options.codec.decode(bytes));
    else this.#takeMessage(decodeMessage(bytes));
  }

  #takeFrame(frame: Frame): void {
    if (frame.kind === 'chunk') {
      this.#options.onChunk(frame);
      return;
    }
    this.#options.onFragment();
    const whole = this.#assembler.add(frame);
    if (whole !== undefined) this.#takeMessage(decodeMessage(whole));
  }

  #takeMessage(message: Message): void {
    if (message.type === 'ping') void this.#pong(message.nonce);
    else if (message.type !== 'pong') this.#options.onMessage(message);
  }

  /** One at a time: while one waits for room, another says nothing more. */
  async #ping(): Promise<void> {
    if (this.#pinging) return;
    this.#pinging = true;
    this.#nonce = (this.#nonce + 1) >>> 0;
    await this.#outbox.sendMessage({ type: 'ping', nonce: this.#nonce }).catch(() => {});
    this.#pinging = false;
  }

  /** Only the latest of the pings that came meanwhile is answered, so that a flood of them costs nothing. */
  async #pong(nonce: number): Promise<void> {
    const isGoing = this.#ponging !== undefined;
    this.#ponging = { nonce };
    if (isGoing) return;
    try {
      for (let answered = -1; this.#ponging.nonce !== answered; ) {
        answered = this.#ponging.nonce;
        await this.#outbox.sendMessage({ type: 'pong', nonce: answered });
      }
    } catch {
      // The lane is gone, and with it whoever pings.
    }
    this.#ponging = undefined;
  }

  #end(error: ModelRtcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#liveness.stop();
    this.#options.onEnd(error);
  }
}
