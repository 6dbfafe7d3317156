export { type DialDirectOptions, dialDirect } from './direct/dial.ts';
export {
  type DirectAddress,
  type DirectListener,
  type DirectOffer,
  type ExpectedLane,
  type ExpectLaneOptions,
  type ListenDirectOptions,
  listenDirect,
} from './direct/listen.ts';
export { type MachineAddressesOptions, machineAddresses } from './direct/machine-addresses.ts';
export type * from './lane.ts';
export * from './memory-lane.ts';
export { createPeer } from './peer/create-peer.ts';
export type { AgentHello } from './peer/hello.ts';
export type { CreatePeerOptions } from './peer/lane-peer.ts';
export { CHUNK_HEADROOM_BYTES } from './peer/limits.ts';
export type * from './peer/peer.ts';
export {
  type AnsweredRelay,
  type AskedRelay,
  answerRelay,
  askRelay,
  type RelayAsk,
  type RelayLaneOptions,
  type RelayOffer,
} from './relay/set-up.ts';
export {
  type Acceptor,
  type AcceptSessionsOptions,
  type Authorization,
  acceptSessions,
} from './session/accept-sessions.ts';
export {
  type Agent,
  type ConnectState,
  type ConnectToSessionOptions,
  connectToSession,
  type EngineChoice,
  type LaneChoice,
} from './session/connect-to-session.ts';
export { answerLane, type ConnectLaneOptions, LANE_OPEN_TIMEOUT_MS, offerLane } from './webrtc/connect-lane.ts';
export type { EngineName, IceServer, WebRtcEngine } from './webrtc/engine.ts';
export { loadEngine } from './webrtc/load-engine.ts';
