import { deferred, ModelRtcError } from '@model-rtc/protocol';
import type { Lane, LaneKind, LaneStats } from './lane.ts';
import {
  CREDIT_INTERVAL_MS,
  CREDIT_STEP,
  decodeControl,
  encodeControl,
  LANE_WINDOW,
  type LaneControl,
  messageCost,
} from './lane-control.ts';
import { assertMessageFits, LaneEnd, laneAbortedError, laneClosedError, laneLostError } from './lane-end.ts';
import { LaneQueue } from './lane-queue.ts';

/** A close without progress for this long is abandoned: the other side is gone or does not read. */
const CLOSE_PATIENCE_MS = 4_000;
/** How long a side that answered an end waits for the other side to close the connection. */
const LINGER_MS = 1_000;

/** Messages on their way out, which wait for the other side's credit and for room in what carries them. */
export interface OutgoingMessages {
  /** Of all messages that were added. */
  readonly acceptedBytes: number;
  /** Grows as they are given to the network, and shrinks with what is buffered there. */
  readonly progress: number;
  readonly isEmpty: boolean;
  /** Resolves when the message was handed over. */
  add(message: Uint8Array): Promise<void> | undefined;
  /** @param totalCost of all messages since the lane opened; a smaller one than before changes nothing */
  allow(totalCost: number): void;
  /** Calls back once all that was added before is handed over; at once when it is already. */
  whenEmpty(callback: () => void): void;
  /** Hands over nothing more; waiting messages fail. */
  end(error: ModelRtcError): void;
}

/**
 * `opening` until the other side grants its first credit. `closing`: this side ends the lane, and flushes. `over`:
 * nothing is sent or received any more.
 */
type State = 'opening' | 'open' | 'closing' | 'over';

/**
 * A lane over a connection that reads ahead without limit and may vanish silently: the two ends tell each other how much
 * may be sent, and agree on the end. See lane-control.ts for the words, and why.
 */
export abstract class WindowedLane implements Lane {
  abstract readonly kind: LaneKind;
  abstract readonly engine: string | undefined;
  abstract readonly maxMessageSize: number;
  protected abstract readonly outgoing: OutgoingMessages;
  readonly #end = new LaneEnd();
  readonly #queue = new LaneQueue((message) => this.#onTaken(messageCost(message)));
  #state: State = 'opening';
  readonly #opened = deferred<void>();
  #timer: NodeJS.Timeout | undefined;
  #owesEnded = false;
  #grantedCost = 0;
  #receivedCost = 0;
  #takenCost = 0;
  #grantedAtMs = 0;
  #receivedBytes = 0;
  #heard = 0;

  constructor() {
    this.opened.catch(() => {}); // The caller need not await it.
  }

  /** Resolves when data is known to flow both ways; rejects when the lane ends before. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#queue;
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#end.closed;
  }

  stats(): LaneStats {
    return { sentBytes: this.outgoing.acceptedBytes, receivedBytes: this.#receivedBytes, heard: this.#heard };
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw this.#end.sendError();
    assertMessageFits(message, this.maxMessageSize);
    await this.outgoing.add(message);
  }

  async close(): Promise<void> {
    if (this.#state === 'opening') this.finish(undefined);
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#watchClosing();
      this.outgoing.whenEmpty(() => this.#sayEnd());
    }
    await this.#end.closed;
  }

  abort(reason: ModelRtcError = laneAbortedError()): void {
    this.finish(reason);
  }

  /** Sends a control word in order with the messages. @throws the connection's error */
  protected abstract sendWord(word: string): void;

  /** Closes the connection: at once if it failed, else when everything is on its way. Never throws. */
  protected abstract release(error: ModelRtcError | undefined): void;

  /** The connection carries data: the other side may send. @param pad a word that has to arrive first */
  protected begin(pad?: string): void {
    if (pad !== undefined) this.#sayWord(pad);
    this.#grant();
  }

  protected get isOver(): boolean {
    return this.#end.ended;
  }

  /** Takes a message of the other side. */
  protected takeMessage(message: Uint8Array): void {
    this.#heard++;
    if (this.#state === 'over') return;
    this.#receivedCost += messageCost(message);
    const isWrong = message.byteLength === 0 || message.byteLength > this.maxMessageSize;
    if (isWrong || this.#receivedCost > this.#grantedCost) this.finish(overrunError());
    else {
      this.#receivedBytes += message.byteLength;
      this.#queue.push(message);
    }
  }

  /** Takes a control word of the other side; unknown ones are ignored. */
  protected takeWord(word: string): void {
    this.#heard++;
    const control = decodeControl(word);
    if (control?.word === 'credit') this.#onCredit(control.total);
    else if (control?.word === 'end') this.#onEnd();
    else if (control?.word === 'ended' && this.#state === 'closing') this.#onEnded();
  }

  /** Ends the lane and the connection. Also called when the connection goes after an agreed end. */
  protected finish(error: ModelRtcError | undefined): void {
    clearInterval(this.#timer);
    this.#settle(error);
    this.release(error);
  }

  #onCredit(total: number): void {
    if (this.#state === 'opening') {
      this.#state = 'open';
      this.#opened.resolve();
    }
    this.outgoing.allow(total);
  }

  /** When both sides end the lane, each flushes before it answers: the answer makes the other close the connection. */
  #onEnd(): void {
    if (this.#state === 'closing') {
      this.#owesEnded = true;
      if (this.outgoing.isEmpty) this.#say({ word: 'ended' });
    } else if (this.#state !== 'over') {
      this.#say({ word: 'ended' });
      this.#linger();
    }
  }

  /** If both sides end the lane, this side's answer may still be on its way, and would be lost with the connection. */
  #onEnded(): void {
    if (this.#owesEnded) this.#linger();
    else this.finish(undefined);
  }

  /** The end is agreed on; the connection goes when the other side closes it, or after a while. */
  #linger(): void {
    clearInterval(this.#timer);
    this.#settle(undefined);
    this.#timer = setTimeout(() => this.release(undefined), LINGER_MS);
  }

  #sayEnd(): void {
    this.#say({ word: 'end' });
    if (this.#owesEnded) this.#say({ word: 'ended' });
  }

  #watchClosing(): void {
    let before = -1;
    this.#timer = setInterval(() => {
      const progress = this.#heard + this.outgoing.progress;
      if (progress === before) this.finish(laneLostError(new Error('the other side did not confirm the end')));
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
    this.#sayWord(encodeControl(control));
  }

  #sayWord(word: string): void {
    try {
      this.sendWord(word);
    } catch (cause) {
      this.finish(laneLostError(cause));
    }
  }

  #settle(error: ModelRtcError | undefined): void {
    this.#state = 'over';
    if (!this.#end.settle(error)) return;
    this.#queue.end();
    this.outgoing.end(error ?? laneClosedError());
    this.#opened.reject(error ?? laneClosedError());
  }
}

function overrunError(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The other side sent more than it was allowed to; check that it runs a current model-rtc.',
  );
}
