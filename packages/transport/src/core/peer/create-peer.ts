import { type Clock, encodeMessage, type Hello, loadFrameCodec, ModelRtcError, systemClock } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { toldError } from './errors.ts';
import { type AgentHello, exchangeHello, type FirstMessage } from './hello.ts';
import { type CreatePeerOptions, LanePeer } from './lane-peer.ts';
import { CLOSE_TIMEOUT_MS, MIN_LANE_MESSAGE_BYTES } from './limits.ts';
import type { Peer } from './peer.ts';
import { toWireError } from './wire-error.ts';

/**
 * Makes a peer of a lane, once both sides have said hello.
 *
 * @throws ModelRtcError `protocol_mismatch`, which says which side to upgrade; `malformed_message`, `timeout` or `network`
 * when the other side says no hello; the error of its bye.
 */
export async function createPeer(options: CreatePeerOptions): Promise<Peer> {
  const { lane, hello, clock = systemClock } = options;
  return await peerOfGreeted(options, await greetLane(lane, hello, clock));
}

/** The peer of a lane on which the other side has said hello. */
export async function peerOfGreeted(options: CreatePeerOptions, remote: Hello): Promise<Peer> {
  const { hello, clock = systemClock } = options;
  const greet = (further: Lane) => greetLane(further, hello, clock);
  const codec = await loadFrameCodec();
  return new LanePeer(options, { remote, codec, clock, greet });
}

/** Says hello on a new lane. @returns what the other side says. @throws as `createPeer`; the lane has ended then. */
export async function greetLane(lane: Lane, hello: AgentHello, clock: Clock): Promise<Hello> {
  let first: FirstMessage;
  try {
    assertUsable(lane);
    first = await exchangeHello(lane, hello, clock);
  } catch (error) {
    const known = ModelRtcError.from(error);
    await endUngreeted(lane, known, clock);
    throw known;
  }
  if (first.type === 'hello') return first;
  void lane.close();
  throw byeError(first);
}

/** Ends a lane on which nothing right was said. The other side is told why, if it can still hear. */
async function endUngreeted(lane: Lane, why: ModelRtcError, clock: Clock): Promise<void> {
  const stopTimer = clock.after(CLOSE_TIMEOUT_MS, () => lane.abort(why));
  try {
    await lane.send(encodeMessage({ type: 'bye', error: toWireError(toldError(why)) }));
    await lane.close();
  } catch {
    lane.abort(why);
  }
  stopTimer();
}

function byeError({ error }: Extract<FirstMessage, { type: 'bye' }>): ModelRtcError {
  return error === undefined
    ? new ModelRtcError('network', 'The other side closed the connection at once; try again.')
    : ModelRtcError.fromData(error);
}

function assertUsable({ maxMessageSize }: Lane): void {
  if (maxMessageSize >= MIN_LANE_MESSAGE_BYTES) return;
  throw new ModelRtcError(
    'malformed_message',
    `The other side accepts only ${maxMessageSize} bytes at once; at least ${MIN_LANE_MESSAGE_BYTES} are needed. Upgrade model-rtc there.`,
  );
}
