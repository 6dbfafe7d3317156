import { ModelRtcError } from '@model-rtc/protocol';
import type { Lane, LaneStats } from '../lane.ts';
import { assertMessageFits, LaneEnd, laneAbortedError, laneClosedError, laneLostError } from '../lane-end.ts';
import { LaneQueue } from '../lane-queue.ts';
import type { ConnectionEvents, EngineConnection, WebRtcEngine } from './engine.ts';
import {
  CREDIT_INTERVAL_MS,
  CREDIT_STEP,
  decodeControl,
  encodeControl,
  LANE_WINDOW,
  type LaneControl,
  messageCost,
} from './lane-control.ts';
import { Outbox } from './outbox.ts';

/** A close that makes no progress for this long is given up: the other side is gone or does not read. */
const CLOSE_PATIENCE_MS = 4_000;
/** How long a side that answered the other's end leaves it to that one to close the connection. */
const LINGER_MS = 1_000;

/**
 * `opening` until the other side grants its first credit. `closing`: this side ends the lane, and flushes. `over`:
 * nothing is sent or received any more.
 */
type State = 'opening' | 'open' | 'closing' | 'over';

/** A lane over one engine's connection; see lane-control.ts for what it adds to a data channel, and why. */
export class WebRtcLane implements Lane {
  readonly kind = 'webrtc';
  readonly engine: string;
  /** Resolves when data is known to flow both ways; rejects when the lane ends before. */
  readonly opened: Promise<void>;
  readonly #connection: EngineConnection;
  readonly #outbox: Outbox;
  readonly #end = new LaneEnd();
  readonly #queue = new LaneQueue((message) => this.#onTaken(messageCost(message)));
  #state: State = 'opening';
  #maxMessageSize: number;
  #settleOpened: { resolve(): void; reject(error: ModelRtcError): void } = { resolve() {}, reject() {} };
  #timer: NodeJS.Timeout | undefined;
  #owesEnded = false;
  #grantedCost = 0;
  #receivedCost = 0;
  #takenCost = 0;
  #grantedAtMs = 0;
  #receivedBytes = 0;
  #heard = 0;

  /** @param connect makes the connection, and tells it to report to the given events */
  constructor(engine: WebRtcEngine, connect: (events: Omit<ConnectionEvents, 'onCandidate'>) => EngineConnection) {
    this.engine = engine.name;
    this.#maxMessageSize = engine.maxMessageSize;
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = { resolve, reject };
    });
    this.opened.catch(() => {}); // Whoever awaits it hears of it; nobody has to.
    this.#connection = connect({
      onOpen: () => this.#grant(),
      onMessage: (message) => this.#onMessage(message),
      onRoom: () => this.#outbox.pump(),
      onLost: (cause) => this.#finish(laneLostError(cause)),
    });
    this.#outbox = new Outbox(this.#connection, engine.highWaterMark, (cause) => this.#finish(laneLostError(cause)));
  }

  get connection(): EngineConnection {
    return this.#connection;
  }

  get maxMessageSize(): number {
    return this.#maxMessageSize;
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#queue;
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#end.closed;
  }

  stats(): LaneStats {
    return { sentBytes: this.#outbox.acceptedBytes, receivedBytes: this.#receivedBytes, heard: this.#heard };
  }

  /** What the other side's description says that it takes; before the lane is open. */
  limitMessageSize(bytes: number): void {
    this.#maxMessageSize = Math.min(this.#maxMessageSize, bytes);
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw this.#end.sendError();
    assertMessageFits(message, this.#maxMessageSize);
    await this.#outbox.add(message);
  }

  async close(): Promise<void> {
    if (this.#state === 'opening') this.#finish(undefined);
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#watchClosing();
      this.#outbox.whenEmpty(() => this.#sayEnd());
    }
    await this.#end.closed;
  }

  abort(reason: ModelRtcError = laneAbortedError()): void {
    this.#finish(reason);
  }

  #onMessage(message: Uint8Array | string): void {
    this.#heard++;
    if (typeof message !== 'string') this.#onBytes(message);
    else {
      const control = decodeControl(message);
      if (control !== undefined) this.#onControl(control);
    }
  }

  #onBytes(message: Uint8Array): void {
    if (this.#state === 'over') return;
    this.#receivedCost += messageCost(message);
    if (message.byteLength > this.#maxMessageSize || this.#receivedCost > this.#grantedCost) {
      this.#finish(
        new ModelRtcError(
          'malformed_message',
          'The other side sent more than it was allowed to; check that it runs a current model-rtc.',
        ),
      );
      return;
    }
    this.#receivedBytes += message.byteLength;
    this.#queue.push(message);
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
    this.#outbox.allow(total);
  }

  /** When both sides end the lane, each flushes before it answers: the answer makes the other close the connection. */
  #onEnd(): void {
    if (this.#state === 'closing') {
      this.#owesEnded = true;
      if (this.#outbox.empty) this.#say({ word: 'ended' });
    } else if (this.#state !== 'over') {
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
    this.#state = 'over';
    this.#settle(undefined);
    this.#timer = setTimeout(() => this.#connection.close(), LINGER_MS);
  }

  #sayEnd(): void {
    this.#say({ word: 'end' });
    if (this.#owesEnded) this.#say({ word: 'ended' });
  }

  #watchClosing(): void {
    let before = -1;
    this.#timer = setInterval(() => {
      const progress = this.#heard + this.#outbox.handedBytes - this.#connection.bufferedAmount();
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
    try {
      this.#connection.send(encodeControl(control));
    } catch (cause) {
      this.#finish(laneLostError(cause));
    }
  }

  /** Ends the lane and the connection at once. A connection that goes after the end was agreed on comes here as well. */
  #finish(error: ModelRtcError | undefined): void {
    clearInterval(this.#timer);
    this.#state = 'over';
    this.#settle(error);
    this.#connection.close();
  }

  #settle(error: ModelRtcError | undefined): void {
    if (!this.#end.settle(error)) return;
    this.#queue.end();
    this.#outbox.end(error ?? laneClosedError());
    this.#settleOpened.reject(error ?? laneClosedError());
  }
}
