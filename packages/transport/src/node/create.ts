import { ModelRtcError } from '@model-rtc/protocol';
import { meetAtRelay, visit } from '@model-rtc/signaling';
import { type Acceptor, type AcceptSessionsOptions, acceptSessionsWith } from '../core/connect/accept-sessions.ts';
import type { AnswerLane, AnswerLaneOptions } from '../core/connect/components.ts';
import { type ConnectToSessionOptions, connectToSessionWith } from '../core/connect/connect-to-session.ts';
import { type SealedVisit, type VisitSessionOptions, visitSessionWith } from '../core/connect/sealed-visit.ts';
import type { Peer } from '../core/peer/peer.ts';
import { askDirect } from '../lanes/direct/dial.ts';
import { nodeCrypto } from '../lanes/relay/node-crypto.ts';
import { answerRelay, type RelayPlatform, relayAskerOn } from '../lanes/relay/set-up.ts';
import { answerLane, askWebRtc } from '../lanes/webrtc/connect-lane.ts';
import { loadEngine } from '../lanes/webrtc/load-engine.ts';
import { CpuMeter } from './cpu-meter.ts';

export const RELAY_ON_NODE: RelayPlatform = { meetAtRelay, crypto: nodeCrypto };
const ASK_LANE = { direct: askDirect, webrtc: askWebRtc, relay: relayAskerOn(RELAY_ON_NODE) };

/** `connectToSessionWith` all that Node has: direct, webrtc and relay lanes. */
export function connectToSession(options: ConnectToSessionOptions): Promise<Peer> {
  const createCpuLoad = () => new CpuMeter();
  return connectToSessionWith({ visit, ask: ASK_LANE, loadEngine, createCpuLoad }, options);
}

/** `visitSessionWith` Node's WebSockets. */
export function visitSession(options: VisitSessionOptions): Promise<SealedVisit> {
  return visitSessionWith(visit, options);
}

/** `acceptSessionsWith` all that Node has. */
export function acceptSessions(options: AcceptSessionsOptions): Acceptor {
  return acceptSessionsWith({ loadEngine, createAnswer }, options);
}

/** How a worker gives the lane that it is asked for. */
function createAnswer({ engine, iceServers, direct, serverUrl, log }: AnswerLaneOptions): AnswerLane {
  return async ({ lane, first, receive, send, signal }) => {
    if (first.type === 'offer') {
      const { mtu } = first;
      return await answerLane({ engine, iceServers, mtu, lane, receive, send, signal });
    }
    if (first.type === 'relay_ask') {
      const meeting = answerRelay(RELAY_ON_NODE, first, { serverUrl, signal, log });
      await send(meeting.offer);
      return await meeting.lane;
    }
    if (direct === undefined) throw new ModelRtcError('refused', 'This worker takes no direct connections.');
    const expected = direct.expect(lane, { signal });
    await send(expected.offer);
    return await expected.lane;
  };
}
