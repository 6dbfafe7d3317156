export {
  type Acceptor,
  type AcceptSessionsOptions,
  type Authorization,
  acceptSessions,
} from './connect/accept-sessions.ts';
export {
  type Agent,
  type ConnectState,
  type ConnectToSessionOptions,
  connectToSession,
  type EngineChoice,
  type LaneChoice,
} from './connect/connect-to-session.ts';
export type * from './lane/lane.ts';
export * from './lane/memory-lane.ts';
export { type DialDirectOptions, dialDirect } from './lanes/direct/dial.ts';
export {
  type DirectAddress,
  type DirectListener,
  type DirectOffer,
  type ExpectedLane,
  type ExpectLaneOptions,
  type ListenDirectOptions,
  listenDirect,
} from './lanes/direct/listen.ts';
export { type MachineAddressesOptions, machineAddresses } from './lanes/direct/machine-addresses.ts';
export {
  type AnsweredRelay,
  type AskedRelay,
  answerRelay,
  askRelay,
  type RelayAsk,
  type RelayLaneOptions,
  type RelayOffer,
} from './lanes/relay/set-up.ts';
export { answerLane, type ConnectLaneOptions, LANE_OPEN_TIMEOUT_MS, offerLane } from './lanes/webrtc/connect-lane.ts';
export type { EngineName, IceServer, WebRtcEngine } from './lanes/webrtc/engine.ts';
export { loadEngine } from './lanes/webrtc/load-engine.ts';
export { createPeer } from './peer/create-peer.ts';
export type { AgentHello } from './peer/hello.ts';
export type { CreatePeerOptions } from './peer/lane-peer.ts';
export { CHUNK_HEADROOM_BYTES } from './peer/limits.ts';
export type * from './peer/peer.ts';
