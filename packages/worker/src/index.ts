export { loadIdentity } from './identity-store.ts';
export {
  type CreateSessionOptions,
  DEFAULT_SESSION,
  SessionStore,
  type SessionSummary,
} from './sessions/session-store.ts';
export { DEFAULT_SIGNALING_PORT, type RunningWorker, startWorker, type WorkerOptions } from './worker.ts';
