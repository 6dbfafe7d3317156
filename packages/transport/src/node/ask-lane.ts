import { type ExchangeMessage, ModelRtcError, unavailableError } from '@model-rtc/protocol';
import type { AskLane, AttemptKind } from '../core/connect/components.ts';
import type { Mailbox } from '../core/connect/mailbox.ts';
import { dialDirect } from '../lanes/direct/dial.ts';
import { askRelay } from '../lanes/relay/set-up.ts';
import { offerLane } from '../lanes/webrtc/connect-lane.ts';

/** How each kind of lane is asked for on Node. */
export const ASK_LANE: Readonly<Record<AttemptKind, AskLane>> = {
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

/** The other side's answer to an ask. */
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
