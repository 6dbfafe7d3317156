export { urlsForOthers } from './addresses.ts';
export { openWorkerData, type WorkerData } from './data/worker-data.ts';
export { createHandlers } from './handlers/create-handlers.ts';
export { FreshModels } from './handlers/fresh-models.ts';
export type { FetchFromHub, HandlerOptions, WantedFromHub } from './handlers/types.ts';
export {
  SessionStore,
  type SessionSummary,
} from './sessions/session-store.ts';
export { type FoundWorker, readWorkerStatus, type WorkerStatus } from './status-file.ts';
export type { WatchEvent } from './watch/types.ts';
export { type WatchFoldersOptions, watchFolders } from './watch/watch-folders.ts';
export {
  type DirectOptions,
  type RunningWorker,
  startWorker,
  type WorkerOptions,
} from './worker.ts';
export type { WorkerMesh } from './worker-mesh.ts';
