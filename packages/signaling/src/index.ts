export type { SignalingClient } from './client/create-client.ts';
export type { JoinOptions, RegistrationStatus, WorkerRegistration } from './client/join-as-worker.ts';
export type { Link } from './client/link.ts';
export type { MeetOptions } from './client/meet-at-relay.ts';
export type { RelayChannel } from './client/relay-channel.ts';
export type { RegistrationState } from './client/server-registration.ts';
export type { VisitOptions } from './client/visit.ts';
export type { Visitor } from './client/visitor-links.ts';
export { DEFAULT_LIMITS, type RelayLimits, SIGNALING_PATH, type SignalingLimits } from './limits.ts';
export { joinAsWorker, meetAtRelay, visit } from './node/node-signaling.ts';
export { AddressCount } from './server/address-count.ts';
export {
  type SignalingServer,
  type SignalingServerOptions,
  startSignalingServer,
} from './server/start-signaling-server.ts';
