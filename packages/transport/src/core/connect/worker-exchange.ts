import {
  decodeExchange,
  deferred,
  type ExchangeMessage,
  encodeExchange,
  type Log,
  ModelRtcError,
  type WorkerSeal,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling/client';
import type { Lane } from '../lane/lane.ts';
import { toldError } from '../peer/errors.ts';
import { toWireError } from '../peer/wire-error.ts';
import type { AnswerLane } from './components.ts';
import { LaneAnswers } from './lane-answers.ts';
import { MAX_ASKS, MAX_PENDING_ASKS } from './limits.ts';
import type { SealedAnswers } from './sealed-answers.ts';

export interface WorkerExchangeOptions {
  readonly link: Link;
  readonly seal: WorkerSeal;
  readonly answer: AnswerLane;
  /** What answers requests that need no connection, with what sends the answers. */
  readonly requests: (send: (message: ExchangeMessage) => Promise<void>) => SealedAnswers;
  /** Gets each lane that opens. */
  readonly onLane: (lane: Lane) => void;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** The worker's end of one sealed exchange, from its opened first envelope to the lanes that it leads to. */
export class WorkerExchange {
  readonly #options: WorkerExchangeOptions;
  readonly #answers: LaneAnswers;
  readonly #requests: SealedAnswers;
  readonly #settled = deferred<void>();
  #linkEnded = false;
  #lanes = 0;

  constructor(options: WorkerExchangeOptions) {
    const { answer, log } = options;
    this.#options = options;
    this.#requests = options.requests((message) => this.#send(message));
    this.#answers = new LaneAnswers({
      answer,
      send: (message) => this.#send(message),
      onLane: (lane) => this.#onLane(lane),
      onRefused: (error) => void this.#refuse(error),
      onSettled: (error) => this.#onSettled(error),
      maxAsks: MAX_ASKS,
      maxPending: MAX_PENDING_ASKS,
      latestOfferOnly: true,
      log,
    });
  }

  /**
   * Answers the visitor's asks until it is done and no lane is opening any more.
   * @throws ModelRtcError when no lane opened and nothing else was asked: the visitor left or sent nonsense, or the signal aborted.
   */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => this.#fail(ModelRtcError.from(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      else void this.#read();
      await this.#settled.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#answers.end();
    }
  }

  async #read(): Promise<void> {
    const { link, seal } = this.#options;
    try {
      this.#take(seal.first);
      for await (const envelope of link.messages) this.#take(seal.open(envelope));
      // A visitor whose connection is about to open no longer needs the link.
      this.#linkEnded = true;
      this.#answers.finish();
      if (this.#answers.pending === 0) this.#fail(new ModelRtcError('network', 'The visitor is gone.'));
    } catch (error) {
      await this.#refuse(ModelRtcError.from(error));
    }
  }

  #take(bytes: Uint8Array): void {
    const message = decodeExchange(bytes);
    // The visitor knows why it ends the exchange.
    if (message?.type === 'refuse') this.#fail(ModelRtcError.fromData(message.error));
    else if (message?.type === 'request') this.#requests.take(message);
    else if (message !== undefined) this.#answers.take(message);
  }

  #onLane(lane: Lane): void {
    this.#lanes += 1;
    this.#options.onLane(lane);
  }

  #onSettled(error: ModelRtcError | undefined): void {
    if (!this.#linkEnded || this.#answers.pending > 0) return;
    // Otherwise the visitor notices by itself, and may ask again.
    this.#fail(error ?? new ModelRtcError('network', 'The visitor is gone.'));
  }

  async #refuse(error: ModelRtcError): Promise<void> {
    // One that is gone, or whose exchange is full, cannot be told.
    await this.#send({ type: 'refuse', error: toWireError(toldError(error)) }).catch(() => {});
    this.#fail(error);
  }

  async #send(message: ExchangeMessage): Promise<void> {
    await this.#options.link.send(this.#options.seal.seal(encodeExchange(message)));
  }

  /** Ends the exchange. It is a failure only when no lane opened, and no request came that needs none. */
  #fail(error: ModelRtcError): void {
    if (this.#lanes > 0 || this.#requests.asked > 0) this.#settled.resolve();
    else this.#settled.reject(error);
  }
}
