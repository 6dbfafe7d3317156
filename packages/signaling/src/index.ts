export { type JoinOptions, joinAsWorker, type SeatStatus, type WorkerPost } from './client/join-as-worker.ts';
export type { Link } from './client/link.ts';
export { systemTimers, type Timers } from './client/timers.ts';
export { type VisitOptions, visit } from './client/visit.ts';
export type { Visitor } from './client/visitor-links.ts';
export type { SeatState } from './client/worker-seat.ts';
export { DEFAULT_LIMITS, SIGNALING_PATH, type SignalingLimits } from './limits.ts';
export {
  type SignalingServer,
  type SignalingServerOptions,
  startSignalingServer,
} from './server/start-signaling-server.ts';
