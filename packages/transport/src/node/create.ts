import { visit } from '@model-rtc/signaling';
import { type Acceptor, type AcceptSessionsOptions, acceptSessionsWith } from '../core/connect/accept-sessions.ts';
import { type ConnectToSessionOptions, connectToSessionWith } from '../core/connect/connect-to-session.ts';
import type { Peer } from '../core/peer/peer.ts';
import { loadEngine } from '../lanes/webrtc/load-engine.ts';
import { createAnswer } from './answer-lane.ts';
import { ASK_LANE } from './ask-lane.ts';
import { CpuMeter } from './cpu-meter.ts';

/** `connectToSessionWith` all that Node has: direct, webrtc and relay lanes. */
export function connectToSession(options: ConnectToSessionOptions): Promise<Peer> {
  const createCpuLoad = () => new CpuMeter();
  return connectToSessionWith({ visit, ask: ASK_LANE, loadEngine, createCpuLoad }, options);
}

/** `acceptSessionsWith` all that Node has. */
export function acceptSessions(options: AcceptSessionsOptions): Acceptor {
  return acceptSessionsWith({ loadEngine, createAnswer }, options);
}
