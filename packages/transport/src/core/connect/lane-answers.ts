import { type ExchangeMessage, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Lane } from '../lane/lane.ts';
import { toWireError } from '../peer/wire-error.ts';
import type { AnswerLane, LaneAsk } from './components.ts';
import { Mailbox } from './mailbox.ts';

export interface LaneAnswersOptions {
  readonly answer: AnswerLane;
  readonly send: (message: ExchangeMessage) => Promise<void>;
  /** Gets each open lane and owns it from then on. */
  readonly onLane: (lane: Lane) => void;
  /** The visitor broke the protocol, and was told. */
  readonly onRefused: (error: ModelRtcError) => void;
  /** A lane opened, or failed to. */
  readonly onSettled: (error: ModelRtcError | undefined) => void;
  /** How many lanes may be asked for in total. */
  readonly maxAsks: number;
  /** How many lanes may be opening at once. */
  readonly maxPending: number;
  /** Whether a new offer ends the previous attempt, since the visitor started over. */
  readonly latestOfferOnly: boolean;
  readonly log: Log;
}

interface Attempt {
  readonly first: LaneAsk;
  readonly mailbox: Mailbox;
  readonly controller: AbortController;
  /** The visitor has the offer that it asked for. */
  isOffered: boolean;
}

/** The worker's end of opening lanes, whatever carries the messages. */
export class LaneAnswers {
  readonly #options: LaneAnswersOptions;
  readonly #attempts = new Map<number, Attempt>();
  #asks = 0;
  /** Attempts whose connections are not gone yet, abandoned ones included. */
  #running = 0;
  #isOver = false;

  constructor(options: LaneAnswersOptions) {
    this.#options = options;
  }

  /** How many lanes are opening. */
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

  /** The visitor says nothing more; a lane that has all it needs still opens. */
  finish(): void {
    for (const { mailbox } of this.#attempts.values()) mailbox.end();
  }

  /** Abandons all lanes that are opening. */
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
    const attempt: Attempt = { first, mailbox: new Mailbox(), controller: new AbortController(), isOffered: false };
    this.#attempts.set(first.lane, attempt);
    this.#running += 1;
    void this.#answer(attempt).finally(() => {
      this.#running -= 1;
    });
  }

  async #answer(attempt: Attempt): Promise<void> {
    const { answer, onLane, onSettled } = this.#options;
    const { first, mailbox, controller } = attempt;
    let failure: ModelRtcError | undefined;
    const send = async (message: ExchangeMessage) => {
      attempt.isOffered ||= message.type === 'direct_offer' || message.type === 'relay_offer';
      await this.#options.send(message);
    };
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

  /**
   * Tells the visitor why: otherwise one with an unusable offer would wait, or keep trying. One that has an offer notices by
   * itself that it leads nowhere.
   */
  async #failed(attempt: Attempt, error: ModelRtcError): Promise<void> {
    const { onRefused, log } = this.#options;
    const { first } = attempt;
    log.debug({ err: error, lane: first.lane, ask: first.type }, 'a connection did not come up');
    if (this.#isOver || !this.#isCurrent(attempt)) return;
    if (first.type !== 'offer') {
      if (!attempt.isOffered) await this.#sayUnavailable(first.lane, toWireError(error).message);
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
