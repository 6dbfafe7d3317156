import {
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  type Log,
  ModelRtcError,
  type WorkerSeal,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling';
import type { Lane } from '../lane.ts';
import { toWireError } from '../peer/wire-error.ts';
import { MAX_OFFERS } from './limits.ts';
import { Mailbox } from './mailbox.ts';

/** Answers one offer. `receive` starts with it. */
export type AnswerOffer = (options: {
  readonly lane: number;
  readonly receive: AsyncIterable<ExchangeMessage>;
  readonly send: (message: ExchangeMessage) => Promise<void>;
  readonly signal: AbortSignal;
}) => Promise<Lane>;

export interface WorkerExchangeOptions {
  readonly link: Link;
  readonly seal: WorkerSeal;
  readonly answer: AnswerOffer;
  readonly signal: AbortSignal;
  readonly log: Log;
}

interface Attempt {
  readonly number: number;
  readonly mailbox: Mailbox;
  readonly controller: AbortController;
}

/** The worker's end of one sealed exchange, from its opened first envelope to a lane. */
export class WorkerExchange {
  readonly #options: WorkerExchangeOptions;
  #attempt: Attempt | undefined;
  #offers = 0;
  #settle: { resolve(lane: Lane): void; reject(error: ModelRtcError): void } | undefined;
  #linkEnded = false;
  #isOver = false;

  constructor(options: WorkerExchangeOptions) {
    this.#options = options;
  }

  /**
   * Answers the visitor's offers, of which the latest counts, until one has become a lane.
   * @throws ModelRtcError when the visitor is gone before, sends what makes no sense, or the signal aborts.
   */
  async run(): Promise<Lane> {
    const { signal } = this.#options;
    const onAbort = () => this.#fail(ModelRtcError.from(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<Lane>((resolve, reject) => {
        this.#settle = { resolve, reject };
        if (signal.aborted) onAbort();
        else void this.#read();
      });
    } finally {
      this.#isOver = true;
      signal.removeEventListener('abort', onAbort);
      this.#endAttempt();
    }
  }

  async send(message: ExchangeMessage): Promise<void> {
    await this.#options.link.send(this.#options.seal.seal(encodeExchange(message)));
  }

  async #read(): Promise<void> {
    const { link, seal } = this.#options;
    try {
      this.#take(decodeExchange(seal.first));
      for await (const envelope of link.messages) this.#take(decodeExchange(seal.open(envelope)));
      // A visitor whose connection is about to open needs the link no more.
      this.#linkEnded = true;
      this.#attempt?.mailbox.end();
      if (this.#attempt === undefined) this.#fail(new ModelRtcError('network', 'The visitor is gone.'));
    } catch (error) {
      this.#fail(ModelRtcError.from(error));
    }
  }

  #take(message: ExchangeMessage): void {
    if (this.#isOver) return;
    if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
    if (message.type === 'offer') this.#startAttempt(message.lane);
    if (message.lane === this.#attempt?.number) this.#attempt.mailbox.push(message);
  }

  /** The visitor has given up the attempt before. */
  #startAttempt(number: number): void {
    if (++this.#offers > MAX_OFFERS) throw new ModelRtcError('refused', 'The visitor makes too many offers.');
    this.#endAttempt();
    const attempt: Attempt = { number, mailbox: new Mailbox(), controller: new AbortController() };
    this.#attempt = attempt;
    void this.#answer(attempt);
  }

  async #answer(attempt: Attempt): Promise<void> {
    const { answer, log } = this.#options;
    try {
      const lane = await answer({
        lane: attempt.number,
        receive: attempt.mailbox,
        send: (message) => this.send(message),
        signal: attempt.controller.signal,
      });
      if (this.#isOver) lane.abort();
      else this.#settle?.resolve(lane);
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      log.debug({ err: error, attempt: attempt.number }, 'an offered connection did not come up');
      const isLatest = this.#attempt === attempt;
      if (isLatest) this.#attempt = undefined;
      if (this.#linkEnded) this.#fail(error);
      else if (isLatest && error.code === 'malformed_message') await this.#refuse(error);
      // Otherwise the visitor notices by itself, and may offer anew.
    }
  }

  /** Whoever wrote an offer that no worker can use would wait and try again without ever learning why. */
  async #refuse(error: ModelRtcError): Promise<void> {
    try {
      await this.send({ type: 'refuse', error: toWireError(error) });
    } catch {
      // The visitor is gone, or its exchange is full: it cannot be told.
    }
    this.#fail(error);
  }

  #endAttempt(): void {
    this.#attempt?.mailbox.end();
    this.#attempt?.controller.abort(new ModelRtcError('cancelled', 'The visitor tries anew, or is gone.'));
    this.#attempt = undefined;
  }

  #fail(error: ModelRtcError): void {
    this.#settle?.reject(error);
  }
}
