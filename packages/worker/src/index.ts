export type { DataReception } from './data/data-reception.ts';
export { openWorkerData, type WorkerData, type WorkerDataOptions } from './data/worker-data.ts';
export { createHandlers, type WorkerHandlers } from './handlers/create-handlers.ts';
export { FreshModels } from './handlers/fresh-models.ts';
export type { FetchFromHub, HandlerOptions, WantedFromHub } from './handlers/types.ts';
export { DEFAULT_SIGNALING_PORT } from './open-signaling.ts';
export {
  type CreateSessionOptions,
  DEFAULT_SESSION,
  SessionStore,
  type SessionSummary,
} from './sessions/session-store.ts';
export { type FoundWorker, readWorkerStatus, type WorkerStatus } from './status-file.ts';
export type { OnWatchEvent, WatchEvent } from './watch/types.ts';
export { INTERRUPTED_AFTER_MS } from './watch/types.ts';
export { type WatchedFolders, type WatchFoldersOptions, watchFolders } from './watch/watch-folders.ts';
export {
  type DirectOptions,
  type RunningWorker,
  startWorker,
  type WorkerOptions,
} from './worker.ts';
export type { WorkerJobsOptions } from './worker-jobs.ts';
