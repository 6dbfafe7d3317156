/** What runs in a browser too: lanes, the peer that speaks over them, and how they come up. */

export type {
  ConnectionEvents,
  EngineConnection,
  EngineName,
  IceServer,
  WebRtcEngine,
} from '../lanes/webrtc/engine.ts';
export * from './connect/accept-sessions.ts';
export * from './connect/components.ts';
export * from './connect/connect-to-session.ts';
export { LaneShare } from './connect/lane-share.ts';
export type * from './lane/lane.ts';
export * from './lane/memory-lane.ts';
export { createPeer } from './peer/create-peer.ts';
export type { AgentHello } from './peer/hello.ts';
export type { CreatePeerOptions } from './peer/lane-peer.ts';
export { CHUNK_HEADROOM_BYTES } from './peer/limits.ts';
export type * from './peer/peer.ts';
