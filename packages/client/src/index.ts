export { type ConnectOptions, connect, type ListOptions, type WorkerConnection } from './connect.ts';
export type { ModelProgress, OnModelProgress } from './progress.ts';
export type { PullModelOptions, PullModelResult } from './pull-model.ts';
export type { PushModelOptions, PushModelResult } from './push-model.ts';
export { type SavedWorker, SavedWorkers } from './saved-workers.ts';
export { parseSessionArgument } from './session-argument.ts';
export type { Connector } from './session-link.ts';
export type { Time } from './time.ts';
export type { TransferReport } from './transfer-tally.ts';
