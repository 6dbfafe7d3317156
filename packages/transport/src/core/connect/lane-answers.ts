import { type ExchangeMessage, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Lane } from '../lane/lane.ts';
import type { AnswerLane, LaneAsk } from './components.ts';
import { Mailbox } from './mailbox.ts';

export interface LaneAnswersOptions {
  readonly answer: AnswerLane;
  readonly send: (message: ExchangeMessage) => Promise<void>;
  /** Gets each lane that is open; it is the callee's from then on. */
  readonly onLane: (lane: Lane) => void;
  /** The visitor said what no visitor says, and was told. */
  readonly onRefused: (error: ModelRtcError) => void;
  /** A lane came up or did not. */
  readonly onSettled: (error: ModelRtcError | undefined) => void;
  /** Lanes that may be asked for, altogether. */
  readonly maxAsks: number;
  /** Lanes that may be coming up at once. */
  readonly maxPending: number;
  /** A further offer gives up the one before: the visitor tries anew. */
  readonly latestOfferOnly: boolean;
  readonly log: Log;
}

interface Attempt {
  readonly first: LaneAsk;
  readonly mailbox: Mailbox;
  readonly controller: AbortController;
}

/** The worker's end of bringing up lanes, whatever carries the words. */
export class LaneAnswers {
  readonly #options: LaneAnswersOptions;
  readonly #attempts = new Map<number, Attempt>();
  #asks = 0;
  /** Attempts whose connections are not gone yet, those that were given up included. */
  #running = 0;
  #isOver = false;

  constructor(options: LaneAnswersOptions) {
    this.#options = options;
  }

  /** Lanes that are coming up. */
  get pending(): number {
    return this.#attempts.size;
  }

  /** @throws ModelRtcError `refused` when too much is asked for; what the visitor refuses with. */
  take(message: ExchangeMessage): void {
    if (this.#isOver) return;
    if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
    if (isAsk(message)) this.#start(message);
    // Nothing else that a visitor may say about a lane is read.
    if (message.type === 'offer' || message.type === 'candidate') this.#offerOf(message.lane)?.mailbox.push(message);
  }

  /** The visitor says nothing more; a lane that has all that it needs still comes up. */
  finish(): void {
    for (const { mailbox } of this.#attempts.values()) mailbox.end();
  }

  /** Gives up all that is coming up. */
  end(): void {
    this.#isOver = true;
    for (const lane of [...this.#attempts.keys()]) this.#giveUp(lane);
  }

  #start(first: LaneAsk): void {
    const { maxAsks, maxPending, latestOfferOnly } = this.#options;
    this.#asks += 1;
    this.#giveUp(first.lane);
    if (latestOfferOnly && first.type === 'offer') this.#giveUpOffers();
    if (this.#asks > maxAsks) throw new ModelRtcError('refused', 'The visitor asks for too many connections.');
    if (this.#running >= maxPending) {
      void this.#sayUnavailable(first.lane, 'Too many connections are opening at once; try again.');
      return;
    }
    const attempt: Attempt = { first, mailbox: new Mailbox(), controller: new AbortController() };
    this.#attempts.set(first.lane, attempt);
    this.#running += 1;
    void this.#answer(attempt).finally(() => {
      this.#running -= 1;
    });
  }

  async #answer(attempt: Attempt): Promise<void> {
    const { answer, send, onLane, onSettled } = this.#options;
    const { first, mailbox, controller } = attempt;
    let failure: ModelRtcError | undefined;
    try {
      const lane = await answer({ lane: first.lane, first, receive: mailbox, send, signal: controller.signal });
      if (this.#isOver || !this.#isCurrent(attempt)) lane.abort();
      else onLane(lane);
    } catch (thrown) {
      failure = ModelRtcError.from(thrown);
      await this.#failed(attempt, failure);
    }
    const wasCurrent = this.#isCurrent(attempt);
    if (wasCurrent) this.#attempts.delete(first.lane);
    mailbox.end();
    if (wasCurrent && !this.#isOver) onSettled(failure);
  }

  /** A visitor that offers what cannot be used would wait, or try again, without ever learning why. */
  async #failed(attempt: Attempt, error: ModelRtcError): Promise<void> {
    const { onRefused, log } = this.#options;
    const { first } = attempt;
    log.debug({ err: error, lane: first.lane, ask: first.type }, 'a connection did not come up');
    if (this.#isOver || !this.#isCurrent(attempt)) return;
    if (first.type !== 'offer') {
      await this.#sayUnavailable(first.lane, error.message);
    } else if (error.code === 'malformed_message') onRefused(error);
  }

  async #sayUnavailable(lane: number, message: string): Promise<void> {
    await this.#options.send({ type: 'unavailable', lane, message: message.slice(0, 1024) }).catch(() => {});
  }

  #offerOf(lane: number): Attempt | undefined {
    const attempt = this.#attempts.get(lane);
    return attempt?.first.type === 'offer' ? attempt : undefined;
  }

  #isCurrent(attempt: Attempt): boolean {
    return this.#attempts.get(attempt.first.lane) === attempt;
  }

  #giveUpOffers(): void {
    for (const [lane, { first }] of [...this.#attempts]) if (first.type === 'offer') this.#giveUp(lane);
  }

  #giveUp(lane: number): void {
    const attempt = this.#attempts.get(lane);
    this.#attempts.delete(lane);
    attempt?.mailbox.end();
    attempt?.controller.abort(new ModelRtcError('cancelled', 'The visitor started over, or left.'));
  }
}

function isAsk(message: ExchangeMessage): message is LaneAsk {
  return message.type === 'offer' || message.type === 'direct_ask' || message.type === 'relay_ask';
}
