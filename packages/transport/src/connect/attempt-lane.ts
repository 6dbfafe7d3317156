import { type ExchangeMessage, type Log, ModelRtcError, unavailableError } from '@model-rtc/protocol';
import type { Lane } from '../lane/lane.ts';
import { dialDirect } from '../lanes/direct/dial.ts';
import { askRelay } from '../lanes/relay/set-up.ts';
import { offerLane } from '../lanes/webrtc/connect-lane.ts';
import type { IceServer, WebRtcEngine } from '../lanes/webrtc/engine.ts';
import type { LaneChannel } from './lane-channel.ts';
import type { Mailbox } from './mailbox.ts';

/** The kinds of lanes between machines, the better first. */
export const LANE_CHOICES = ['direct', 'webrtc', 'relay'] as const;
export type AttemptKind = (typeof LANE_CHOICES)[number];

export interface AttemptOptions {
  readonly channel: LaneChannel;
  /** Called when a webrtc lane is tried. */
  readonly engine: () => Promise<WebRtcEngine>;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** For a webrtc lane: the largest IP packets that it is to carry, in bytes. */
  readonly mtu?: number | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Brings up one lane of this kind as the side that asks for it.
 * @throws ModelRtcError `network` or `timeout` when it does not come up (`isUnavailable` when it never will), `cancelled`, the
 * other side's refusal.
 */
export async function attemptLane(kind: AttemptKind, options: AttemptOptions): Promise<Lane> {
  const { channel } = options;
  const lane = channel.nextLane();
  const mailbox = channel.open(lane);
  try {
    return await ATTEMPTS[kind](lane, mailbox, options);
  } finally {
    channel.done(lane);
  }
}

type Attempt = (lane: number, mailbox: Mailbox, options: AttemptOptions) => Promise<Lane>;

const ATTEMPTS: Record<AttemptKind, Attempt> = {
  async webrtc(lane, receive, { channel, engine, iceServers, mtu, timeoutMs, signal }) {
    const send = (message: ExchangeMessage) => channel.send(message);
    return await offerLane({ engine: await engine(), lane, send, receive, iceServers, mtu, timeoutMs, signal });
  },

  async direct(lane, mailbox, { channel, timeoutMs, signal }) {
    await channel.send({ type: 'direct_ask', lane });
    const offer = await answerOf(mailbox, 'direct_offer', signal);
    return await dialDirect(offer, { signal, timeoutMs });
  },

  async relay(lane, mailbox, { channel, timeoutMs, signal, log }) {
    const asked = askRelay(lane, { serverUrl: channel.serverUrl, signal, timeoutMs, log });
    try {
      await channel.send(asked.ask);
      return await asked.open(await answerOf(mailbox, 'relay_offer', signal));
    } catch (error) {
      asked.abandon();
      throw error;
    }
  },
};

/** The other side's answer to what was asked of it. */
async function answerOf<T extends 'direct_offer' | 'relay_offer'>(
  mailbox: Mailbox,
  type: T,
  signal: AbortSignal,
): Promise<Extract<ExchangeMessage, { type: T }>> {
  const onAbort = () => mailbox.end(ModelRtcError.from(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    for await (const message of mailbox) {
      if (message.type === type) return message as Extract<ExchangeMessage, { type: T }>;
      if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
      if (message.type === 'unavailable') throw unavailableError(message.message);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  throw new ModelRtcError('network', 'The exchange ended before the worker answered; try again.');
}
