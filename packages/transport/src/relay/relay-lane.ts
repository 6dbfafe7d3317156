import { ModelRtcError } from '@model-rtc/protocol';
import type { RelayChannel } from '@model-rtc/signaling';
import type { Lane, LaneStats } from '../lane.ts';
import { assertMessageFits, LaneEnd, laneAbortedError, laneClosedError, laneLostError } from '../lane-end.ts';
import { LaneQueue } from '../lane-queue.ts';
import {
  CREDIT_INTERVAL_MS,
  CREDIT_STEP,
  decodeControl,
  encodeControl,
  LANE_WINDOW,
  type LaneControl,
  messageCost,
} from '../webrtc/lane-control.ts';
import { FRAME_MESSAGE, FRAME_WORD, FrameOpener, FrameSealer, type OpenedFrame } from './frame-seal.ts';
import type { RelayKeys } from './relay-keys.ts';
import { SendQueue } from './send-queue.ts';

/** A quarter of a chunk of 1 MiB with its head. Sealed, it fits into what the relay takes. */
const MAX_MESSAGE_BYTES = 257 * 1024;
/** A close that makes no progress for this long is given up: the other side is gone or does not read. */
const CLOSE_PATIENCE_MS = 4_000;
/** How long a side that answered the other's end leaves it to that one to close the connection. */
const LINGER_MS = 1_000;

/**
 * `opening` until the other side grants its first credit. `closing`: this side ends the lane, and flushes. `over`:
 * nothing is sent or received any more.
 */
type State = 'opening' | 'open' | 'closing' | 'over';

/**
 * A lane through the signaling server, sealed between the two ends of it. Its window and its end are those of the webrtc
 * lane, said in sealed frames: with a window the connection itself is always read, so the relay's pings are answered
 * however slow the reader is, and with an end that is said the relay cannot pass a cut off as one.
 */
export class RelayLane implements Lane {
  readonly kind = 'relay';
  readonly engine = undefined;
  readonly maxMessageSize = MAX_MESSAGE_BYTES;
  /** Resolves when the other side has shown that it holds the keys; rejects when the lane ends before. */
  readonly opened: Promise<void>;
  readonly #channel: RelayChannel;
  readonly #sealer: FrameSealer;
  readonly #opener: FrameOpener;
  readonly #end = new LaneEnd();
  readonly #incoming = new LaneQueue((message) => this.#onTaken(messageCost(message)));
  readonly #outgoing = new SendQueue((message) => this.#sendFrame(FRAME_MESSAGE, message));
  #state: State = 'opening';
  #settleOpened: { resolve(): void; reject(error: ModelRtcError): void } = { resolve() {}, reject() {} };
  #timer: NodeJS.Timeout | undefined;
  #owesEnded = false;
  #grantedCost = 0;
  #receivedCost = 0;
  #takenCost = 0;
  #grantedAtMs = 0;
  #receivedBytes = 0;
  #heard = 0;

  constructor(channel: RelayChannel, keys: RelayKeys) {
    this.#channel = channel;
    this.#sealer = new FrameSealer(keys.sending);
    this.#opener = new FrameOpener(keys.receiving);
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = { resolve, reject };
    });
    this.opened.catch(() => {}); // Whoever awaits it hears of it; nobody has to.
  }

  /** Shows the other side that this one is there, and begins to read. */
  start(): void {
    this.#grant();
    void this.#receive();
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#incoming;
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#end.closed;
  }

  stats(): LaneStats {
    return { sentBytes: this.#outgoing.acceptedBytes, receivedBytes: this.#receivedBytes, heard: this.#heard };
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw this.#end.sendError();
    assertMessageFits(message, MAX_MESSAGE_BYTES);
    await this.#outgoing.add(message);
  }

  async close(): Promise<void> {
    if (this.#state === 'opening') this.#finish(undefined);
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#watchClosing();
      this.#outgoing.whenEmpty(() => this.#sayEnd());
    }
    await this.#end.closed;
  }

  abort(reason: ModelRtcError = laneAbortedError()): void {
    this.#finish(reason);
  }

  async #receive(): Promise<void> {
    for await (const sealed of this.#channel.frames) {
      const frame = this.#opener.open(sealed);
      if (frame === undefined) this.#finish(tamperedError());
      if (frame === undefined || this.#end.ended) return;
      this.#onFrame(frame);
    }
    this.#finish(laneLostError(await this.#channel.closed));
  }

  #onFrame({ kind, body }: OpenedFrame): void {
    this.#heard++;
    if (kind === FRAME_MESSAGE) this.#onMessage(body);
    const control = kind === FRAME_WORD ? decodeControl(Buffer.from(body).toString()) : undefined;
    if (control !== undefined) this.#onControl(control);
  }

  #onMessage(message: Uint8Array): void {
    this.#receivedCost += messageCost(message);
    if (message.byteLength === 0 || message.byteLength > MAX_MESSAGE_BYTES || this.#receivedCost > this.#grantedCost) {
      this.#finish(overdoneError());
      return;
    }
    this.#receivedBytes += message.byteLength;
    this.#incoming.push(message);
  }

  #onControl(control: LaneControl): void {
    if (control.word === 'credit') this.#onCredit(control.total);
    else if (control.word === 'end') this.#onEnd();
    else if (this.#state === 'closing') this.#onEnded();
  }

  #onCredit(total: number): void {
    if (this.#state === 'opening') {
      this.#state = 'open';
      this.#settleOpened.resolve();
    }
    this.#outgoing.allow(total);
  }

  /** When both sides end the lane, each flushes before it answers: the answer makes the other close the connection. */
  #onEnd(): void {
    if (this.#state === 'closing') {
      this.#owesEnded = true;
      if (this.#outgoing.isEmpty) this.#say({ word: 'ended' });
    } else {
      this.#say({ word: 'ended' });
      this.#linger();
    }
  }

  /** Where both sides end the lane, this side's answer may be on its way still, and would be lost with the connection. */
  #onEnded(): void {
    if (this.#owesEnded) this.#linger();
    else this.#finish(undefined);
  }

  /** The end is agreed on; the connection goes when the other side closes it, or after a while. */
  #linger(): void {
    clearInterval(this.#timer);
    this.#settle(undefined);
    const timer = setTimeout(() => this.#channel.close(), LINGER_MS);
    void this.#channel.closed.then(() => clearTimeout(timer));
  }

  #sayEnd(): void {
    this.#say({ word: 'end' });
    if (this.#owesEnded) this.#say({ word: 'ended' });
  }

  #watchClosing(): void {
    let before = -1;
    this.#timer = setInterval(() => {
      const progress = this.#heard + this.#outgoing.handedCost - this.#channel.unsentBytes;
      if (progress === before) this.#finish(laneLostError(new Error('the other side did not confirm the end')));
      before = progress;
    }, CLOSE_PATIENCE_MS / 2);
  }

  #onTaken(cost: number): void {
    this.#takenCost += cost;
    const untold = this.#takenCost + LANE_WINDOW - this.#grantedCost;
    if (this.#state === 'over') return;
    if (untold >= CREDIT_STEP || performance.now() - this.#grantedAtMs >= CREDIT_INTERVAL_MS) this.#grant();
  }

  #grant(): void {
    this.#grantedCost = this.#takenCost + LANE_WINDOW;
    this.#grantedAtMs = performance.now();
    this.#say({ word: 'credit', total: this.#grantedCost });
  }

  #say(control: LaneControl): void {
    void this.#sendFrame(FRAME_WORD, Buffer.from(encodeControl(control)));
  }

  /** Resolves when there is room for more. A channel that ended says so by the end of its frames. */
  #sendFrame(kind: number, body: Uint8Array): Promise<void> {
    return this.#channel.send(this.#sealer.seal(kind, body)).catch(() => {});
  }

  /** Ends the lane and the connection. */
  #finish(error: ModelRtcError | undefined): void {
    clearInterval(this.#timer);
    this.#settle(error);
    if (error === undefined) this.#channel.close();
    else this.#channel.abort();
  }

  #settle(error: ModelRtcError | undefined): void {
    this.#state = 'over';
    if (!this.#end.settle(error)) return;
    this.#incoming.end();
    this.#outgoing.end(error ?? laneClosedError());
    this.#settleOpened.reject(error ?? laneClosedError());
  }
}

function tamperedError(): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'What came through the relay is not what the other side sent: it was changed, repeated or left out on the way. Use another signaling server.',
  );
}

function overdoneError(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The other side sent more than it was allowed to; check that it runs a current model-rtc.',
  );
}
