import { type Clock, type Hello, loadFrameCodec, ModelRtcError, systemClock } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { type AgentHello, exchangeHello } from './hello.ts';
import { type CreatePeerOptions, LanePeer } from './lane-peer.ts';
import { MIN_LANE_MESSAGE_BYTES } from './limits.ts';
import type { Peer } from './peer.ts';

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
  return await greeted(lane, () => exchangeHello(lane, hello, clock));
}

/** What the other side says on a new lane; one that says nothing right is ended. */
async function greeted<T>(lane: Lane, hello: () => Promise<T>): Promise<T> {
  try {
    assertUsable(lane);
    return await hello();
  } catch (error) {
    const known = ModelRtcError.from(error);
    // Our own hello must still arrive where it tells the other side the same: that the versions differ.
    if (known.code === 'protocol_mismatch') await lane.close();
    else lane.abort(known);
    throw known;
  }
}

function assertUsable({ maxMessageSize }: Lane): void {
  if (maxMessageSize >= MIN_LANE_MESSAGE_BYTES) return;
  throw new ModelRtcError(
    'malformed_message',
    `The other side accepts only ${maxMessageSize} bytes at once; at least ${MIN_LANE_MESSAGE_BYTES} are needed. Upgrade model-rtc there.`,
  );
}
