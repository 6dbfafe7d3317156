export type * from './client/index.ts';
export { DEFAULT_LIMITS, type RelayLimits, SIGNALING_PATH, type SignalingLimits } from './limits.ts';
export { joinAsWorker, meetAtRelay, visit } from './node/node-signaling.ts';
export { AddressCount } from './server/address-count.ts';
export {
  type SignalingServer,
  type SignalingServerOptions,
  startSignalingServer,
} from './server/start-signaling-server.ts';
