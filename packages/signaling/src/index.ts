export { type JoinOptions, joinAsWorker, type SeatStatus, type WorkerPost } from './client/join-as-worker.ts';
export type { Link } from './client/link.ts';
export { type MeetOptions, meetAtRelay } from './client/meet-at-relay.ts';
export type { RelayChannel } from './client/relay-channel.ts';
export { type VisitOptions, visit } from './client/visit.ts';
export type { Visitor } from './client/visitor-links.ts';
export type { SeatState } from './client/worker-seat.ts';
export { DEFAULT_LIMITS, type RelayLimits, SIGNALING_PATH, type SignalingLimits } from './limits.ts';
export { AddressCount } from './server/address-count.ts';
export {
  type SignalingServer,
  type SignalingServerOptions,
  startSignalingServer,
} from './server/start-signaling-server.ts';
