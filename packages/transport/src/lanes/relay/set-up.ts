import { type ExchangeMessage, type Log, ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';
import type { RelayChannel, SignalingClient } from '@model-rtc/signaling/client';
import { randomBytes } from '@noble/hashes/utils.js';
import type { AskLane } from '../../core/connect/components.ts';
import { awaitAnswer } from '../../core/connect/mailbox.ts';
import { TimeBudget } from '../../core/connect/time-budget.ts';
import type { Lane } from '../../core/lane/lane.ts';
import type { RelayCrypto } from './relay-crypto.ts';
import { createRelayKeyPair, type RelayKeys } from './relay-keys.ts';
import { RelayLane } from './relay-lane.ts';

export type RelayAsk = Extract<ExchangeMessage, { type: 'relay_ask' }>;
export type RelayOffer = Extract<ExchangeMessage, { type: 'relay_offer' }>;

/** What relay lanes need from their platform. */
export interface RelayPlatform {
  readonly meetAtRelay: SignalingClient['meetAtRelay'];
  readonly crypto: RelayCrypto;
}

export interface RelayLaneOptions {
  /** The signaling server that both sides talk through: `Link.serverUrl`. */
  readonly serverUrl: string;
  readonly signal?: AbortSignal | undefined;
  /** From now until the lane is open; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
}

export interface AskedRelay {
  /** To be sent to the other side, through the seal. */
  readonly ask: RelayAsk;
  /**
   * Takes the answer, which has to have come through the seal as well, and opens the lane.
   *
   * @throws ModelRtcError `network` when the relay cannot be reached, has none, or loses the connection; `timeout` when
   *   the lane is not open in time; `busy` when the relay is full; `refused` when what came through it is not what the
   *   other side sent; `cancelled` by the signal or `abandon`
   */
  open(offer: RelayOffer): Promise<Lane>;
  /** Gives up: the other side has no relay, or the lane is no longer wanted. Does nothing once it is open. */
  abandon(): void;
}

export interface AnsweredRelay {
  /** To be sent to the other side, through the seal. */
  readonly offer: RelayOffer;
  /** Rejects like `AskedRelay.open`. */
  readonly lane: Promise<Lane>;
}

const OPEN_TIMEOUT_MS = 10_000;
const MEETING_BYTES = 16;

/** How a client asks for a relay lane on this platform. */
export function relayAskerOn(platform: RelayPlatform): AskLane {
  return async (lane, mailbox, { channel, timeoutMs, signal, log }) => {
    const asked = askRelay(platform, lane, { serverUrl: channel.serverUrl, signal, timeoutMs, log });
    try {
      await channel.send(asked.ask);
      return await asked.open(await awaitAnswer(mailbox, 'relay_offer', signal));
    } catch (error) {
      asked.abandon();
      throw error;
    }
  };
}

/**
 * Asks for a lane through the relay of the signaling server. This side goes there at once and waits for the other.
 *
 * @param lane the number by which both sides know it
 */
export function askRelay(platform: RelayPlatform, lane: number, options: RelayLaneOptions): AskedRelay {
  const meeting = randomBytes(MEETING_BYTES);
  const keyPair = createRelayKeyPair(platform.crypto);
  const attempt = new RelayAttempt(platform, lane, options);
  attempt.begin(meeting);
  return {
    ask: { type: 'relay_ask', lane, meeting, publicKey: keyPair.publicKey },
    open: (offer) => attempt.open(() => keyPair.derive('asker', offer.publicKey, meeting)),
    abandon: () => attempt.giveUp(new ModelRtcError('cancelled', 'The relay is not needed any more.')),
  };
}

/** Answers an ask for a relay lane, and goes to the meeting. */
export function answerRelay(platform: RelayPlatform, ask: RelayAsk, options: RelayLaneOptions): AnsweredRelay {
  const keyPair = createRelayKeyPair(platform.crypto);
  const attempt = new RelayAttempt(platform, ask.lane, options);
  attempt.begin(ask.meeting);
  const lane = attempt.open(() => keyPair.derive('answerer', ask.publicKey, ask.meeting));
  lane.catch(() => {}); // The caller awaits it only after it has sent the offer.
  return { offer: { type: 'relay_offer', lane: ask.lane, publicKey: keyPair.publicKey }, lane };
}

/** One attempt over the relay, until the lane is open or given up. */
class RelayAttempt {
  readonly #platform: RelayPlatform;
  readonly #number: number;
  readonly #options: RelayLaneOptions;
  readonly #budget: TimeBudget;
  readonly #ending = new AbortController();
  #channel: Promise<RelayChannel> | undefined;
  #lane: RelayLane | undefined;
  #isOver = false;

  constructor(platform: RelayPlatform, number: number, options: RelayLaneOptions) {
    this.#platform = platform;
    this.#number = number;
    this.#options = options;
    this.#budget = new TimeBudget(options.timeoutMs ?? OPEN_TIMEOUT_MS, options.signal, systemClock);
  }

  /** Goes to the meeting. A failure is thrown by `open`. */
  begin(meeting: Uint8Array): void {
    const { serverUrl, timeoutMs = OPEN_TIMEOUT_MS } = this.#options;
    const { signal } = this.#budget;
    signal.addEventListener('abort', () => this.giveUp(signal.reason as ModelRtcError), { once: true });
    if (signal.aborted) this.giveUp(signal.reason as ModelRtcError);
    this.#channel = this.#platform.meetAtRelay({ serverUrl, meeting, signal: this.#ending.signal, timeoutMs });
    this.#channel.catch(() => {});
  }

  async open(deriveKeys: () => RelayKeys): Promise<Lane> {
    try {
      const keys = deriveKeys();
      const channel = await (this.#channel as Promise<RelayChannel>);
      this.#ending.signal.throwIfAborted();
      this.#lane = new RelayLane(this.#platform.crypto, channel, keys);
      this.#lane.start();
      await this.#lane.opened;
      this.#finish();
      this.#log.debug({ lane: this.#number, server: this.#options.serverUrl }, 'relay lane is open');
      return this.#lane;
    } catch (thrown) {
      const error = ModelRtcError.from(thrown);
      this.giveUp(error);
      throw error;
    }
  }

  giveUp(reason: ModelRtcError): void {
    if (this.#isOver) return;
    this.#finish();
    this.#log.debug({ lane: this.#number, code: reason.code }, 'relay lane did not open');
    this.#ending.abort(reason);
    this.#lane?.abort(reason);
    this.#channel?.then((channel) => channel.abort()).catch(() => {});
  }

  get #log(): Log {
    return this.#options.log ?? silentLog;
  }

  #finish(): void {
    this.#isOver = true;
    this.#budget.release();
  }
}
