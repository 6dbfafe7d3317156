import { deferred, type ExchangeMessage, ModelRtcError } from '@model-rtc/protocol';
import type { AskLane } from '../../core/connect/components.ts';
import type { Lane } from '../../core/lane/lane.ts';
import { MAX_REMOTE_CANDIDATES, usableCandidate } from './candidate.ts';
import { parseDescription } from './description.ts';
import type { EngineConnection, IceServer, LocalCandidate, WebRtcEngine } from './engine.ts';
import { WebRtcLane } from './webrtc-lane.ts';

/** A connection that is not open by then never opens: with packet loss some engines get stuck for good. */
export const LANE_OPEN_TIMEOUT_MS = 10_000;

export interface ConnectLaneOptions {
  readonly engine: WebRtcEngine;
  /** The number by which both sides know this lane; 0 when left out. Messages with another are passed over. */
  readonly lane?: number | undefined;
  /** Takes a message to the other side, in order. What it throws ends the attempt. */
  send(message: ExchangeMessage): void | Promise<void>;
  /** What the other side sent. Read until the lane is open or the attempt has failed, and not returned to. */
  readonly receive: AsyncIterable<ExchangeMessage>;
  /** None when left out: then only machines that reach each other directly can connect. */
  readonly iceServers?: readonly IceServer[] | undefined;
  /**
   * The largest IP packets that both sides may send, in bytes: the lane opens only if the path carries them. An engine that
   * knows one size keeps to it, and so do both when this is left out.
   */
  readonly mtu?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a client asks for a webrtc lane. */
export const askWebRtc: AskLane = async (lane, receive, { channel, engine, iceServers, mtu, timeoutMs, signal }) => {
  const send = (message: ExchangeMessage) => channel.send(message);
  return await offerLane({ engine: await engine(), lane, send, receive, iceServers, mtu, timeoutMs, signal });
};

/**
 * Brings up a webrtc lane as the side that offers. It is open when data was seen to flow both ways.
 *
 * @throws ModelRtcError `timeout` when it is not open in time (call again: it takes a fresh connection); `network`
 * when it fails; `malformed_message` when the other side's description is not usable; `cancelled` by the signal; the
 * other side's own error when it refuses
 */
export function offerLane(options: ConnectLaneOptions): Promise<Lane> {
  return establish(options, async (attempt) => {
    attempt.announce({
      type: 'offer',
      lane: attempt.lane,
      engine: options.engine.name,
      sdp: await attempt.connection.createOffer(),
      ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
    });
  });
}

/** Brings up a webrtc lane as the side that answers: the offer is the first of `receive`. @throws as `offerLane` */
export function answerLane(options: ConnectLaneOptions): Promise<Lane> {
  return establish(options, async () => {});
}

async function establish(options: ConnectLaneOptions, begin: (attempt: LaneAttempt) => Promise<void>): Promise<Lane> {
  const { timeoutMs = LANE_OPEN_TIMEOUT_MS, signal } = options;
  if (signal?.aborted) throw cancelledBy(signal);
  const attempt = new LaneAttempt(options);
  const limit = limitTime(timeoutMs, signal);
  try {
    const exchanged = begin(attempt).then(() => attempt.exchange(options.receive));
    await Promise.race([attempt.webrtcLane.opened, attempt.failed, limit.reached, exchanged.then(() => never)]);
    return attempt.webrtcLane;
  } catch (thrown) {
    const error = setUpError(thrown);
    attempt.webrtcLane.abort(error);
    throw error;
  } finally {
    limit.clear();
  }
}

/** One attempt on one fresh connection. */
class LaneAttempt {
  readonly lane: number;
  readonly webrtcLane: WebRtcLane;
  readonly #failed = deferred<never>();
  readonly #send: ConnectLaneOptions['send'];
  readonly #headStartMs: number;
  /** Candidates found before the other side may have them. */
  #held: LocalCandidate[] | undefined = [];
  #sending = Promise.resolve();
  #remoteCandidates = 0;

  constructor({ engine, lane = 0, iceServers = [], send, mtu: asked }: ConnectLaneOptions) {
    this.lane = lane;
    this.#send = send;
    this.#headStartMs = engine.answererHeadStartMs;
    this.failed.catch(() => {}); // After the lane is open, a failure no longer matters.
    const onCandidate = (candidate: LocalCandidate) => this.#onCandidate(candidate);
    const mtu = asked === undefined || engine.maxMtu === undefined ? undefined : Math.min(asked, engine.maxMtu);
    this.webrtcLane = new WebRtcLane(
      engine,
      (events) => engine.connect({ iceServers, mtu, events: { ...events, onCandidate } }),
      mtu,
    );
  }

  /** Rejects when a message cannot be sent to the other side. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  get connection(): EngineConnection {
    return this.webrtcLane.connection;
  }

  /** Sends our description. Candidates go after it. */
  announce(description: ExchangeMessage): void {
    this.#queue(description);
    if (description.type === 'answer') this.#releaseCandidates();
  }

  /**
   * The side that offers tells its candidates only once it has accepted the answer. Otherwise the other side may reach it
   * while libdatachannel still reads the answer: DTLS then begins before the fingerprint is known, and fails.
   */
  #releaseCandidates(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const candidate of held) this.#onCandidate(candidate);
  }

  /** Acts on what the other side sends, until the lane is there. */
  async exchange(receive: AsyncIterable<ExchangeMessage>): Promise<void> {
    let described = false;
    const early: string[] = [];
    for await (const message of receive) {
      if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
      if (message.lane !== this.lane) continue;
      if (message.type === 'unavailable') throw new ModelRtcError('network', message.message);
      if (message.type === 'candidate') {
        if (described) await this.#addCandidate(message.candidate);
        else if (early.length < MAX_REMOTE_CANDIDATES) early.push(message.candidate);
      } else if (!described && (message.type === 'offer' || message.type === 'answer')) {
        described = true;
        const inside = await this.#accept(message.type, message.sdp);
        for (const candidate of [...inside, ...early]) await this.#addCandidate(candidate);
      }
    }
    if (!described) throw new Error('the exchange ended before the other side described its connection');
  }

  async #accept(type: 'offer' | 'answer', sdp: string): Promise<readonly string[]> {
    const description = parseDescription(type, sdp);
    this.webrtcLane.limitMessageSize(description.maxMessageSize);
    if (type === 'answer') {
      await this.connection.acceptAnswer(description);
      this.#releaseCandidates();
      // The other side begins to check first, and so is ready when the handshake comes.
      await new Promise((resolve) => setTimeout(resolve, this.#headStartMs));
    } else {
      // Asks the engine to let the offerer begin the DTLS handshake, since it is ready first: a packet of an answerer
      // that begins is nearly always lost in libdatachannel, and comes again only after a second. werift begins
      // whatever it is asked, and waits long enough before it does.
      const answer = await this.connection.acceptOffer({ ...description, setup: 'active' });
      this.announce({ type: 'answer', lane: this.lane, sdp: answer });
    }
    return description.candidates;
  }

  /** One that the engine does not take is only a way that is not tried. */
  async #addCandidate(text: string): Promise<void> {
    const candidate = usableCandidate(text);
    if (candidate === undefined || this.#remoteCandidates >= MAX_REMOTE_CANDIDATES) return;
    this.#remoteCandidates++;
    await this.connection.addCandidate(candidate).catch(() => {});
  }

  #onCandidate({ candidate, mid }: LocalCandidate): void {
    if (this.#held !== undefined) this.#held.push({ candidate, mid });
    else this.#queue({ type: 'candidate', lane: this.lane, candidate, mid });
  }

  #queue(message: ExchangeMessage): void {
    this.#sending = this.#sending.then(() => this.#send(message)).catch((error) => this.#failed.reject(error));
  }
}

const never = new Promise<never>(() => {});

function limitTime(timeoutMs: number, signal: AbortSignal | undefined): { reached: Promise<never>; clear(): void } {
  let clear = () => {};
  const reached = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(timeoutError(timeoutMs)), timeoutMs);
    const onAbort = () => reject(cancelledBy(signal));
    signal?.addEventListener('abort', onAbort);
    clear = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  reached.catch(() => {}); // Reached after another end of the race, it is no news.
  return { reached, clear };
}

function timeoutError(timeoutMs: number): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `The WebRTC connection did not open within ${timeoutMs / 1000} s; try again, or check that the network lets UDP through.`,
    { details: { timeoutMs } },
  );
}

function cancelledBy(signal: AbortSignal | undefined): ModelRtcError {
  return signal?.reason instanceof ModelRtcError
    ? signal.reason
    : new ModelRtcError('cancelled', 'Cancelled.', { cause: signal?.reason });
}

/** Engines throw their own errors; whatever they mean, the connection did not come up. */
function setUpError(thrown: unknown): ModelRtcError {
  if (thrown instanceof ModelRtcError) return thrown;
  return new ModelRtcError('network', 'The WebRTC connection could not be set up; try again.', { cause: thrown });
}
