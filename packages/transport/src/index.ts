export type * from './core/connect/accept-sessions.ts';
export type * from './core/connect/components.ts';
export type * from './core/connect/connect-to-session.ts';
export { LaneShare } from './core/connect/lane-share.ts';
export type { SealedHandlers } from './core/connect/sealed-answers.ts';
export type { SealedVisit, VisitSessionOptions } from './core/connect/sealed-visit.ts';
export type * from './core/lane/lane.ts';
export * from './core/lane/memory-lane.ts';
export { createPeer } from './core/peer/create-peer.ts';
export type { AgentHello } from './core/peer/hello.ts';
export type { CreatePeerOptions } from './core/peer/lane-peer.ts';
export { CHUNK_HEADROOM_BYTES } from './core/peer/limits.ts';
export type * from './core/peer/peer.ts';
export { type DialDirectOptions, dialDirect } from './lanes/direct/dial.ts';
export {
  type DirectAddress,
  type ListenDirectOptions,
  listenDirect,
} from './lanes/direct/listen.ts';
export { type MachineAddressesOptions, machineAddresses } from './lanes/direct/machine-addresses.ts';
export { answerLane, type ConnectLaneOptions, LANE_OPEN_TIMEOUT_MS, offerLane } from './lanes/webrtc/connect-lane.ts';
export type { EngineName, IceServer, WebRtcEngine } from './lanes/webrtc/engine.ts';
export { loadEngine } from './lanes/webrtc/load-engine.ts';
export { acceptSessions, connectToSession, visitSession } from './node/create.ts';
