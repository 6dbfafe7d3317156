export type { ModelProvider, NamedModel } from '@model-rtc/transfer';
export { BytesByWorker, type WorkerBytes } from './bytes-by-worker.ts';
export { gatherCatalog, type RemoteCatalog } from './catalog.ts';
export { parseCatalog, planOf } from './catalog-file.ts';
export {
  type ConnectAllOptions,
  type ConnectOptions,
  connect,
  connectAll,
  type WorkerConnection,
  type WorkerGroup,
} from './connect.ts';
export { fetchResults } from './data/fetch-results.ts';
export { sendData } from './data/send-data.ts';
export type * from './data/types.ts';
export { WELL_KNOWN_FAMILIES } from './hub/families.ts';
export { findNewer, type RevisionReport, type RevisionState } from './hub/newer-revisions.ts';
export { takeFromHub } from './hub/take-from-hub.ts';
export type * from './hub/types.ts';
export type { ListedModels, ListOptions, SyncResult } from './list-models.ts';
export { MeshProvider, type MeshProviderOptions } from './mesh/mesh-provider.ts';
export type { WorkerModelInfo } from './model-info.ts';
export { type ModelPlan, type PlanPullOptions, type PullPlan, planFromProviders } from './plan-transfer.ts';
export type { ModelProgress, OnModelProgress, WorkerNews } from './progress.ts';
export { type PullModelOptions, type PullModelResult, pullFromProviders } from './pull-model.ts';
export type { PushModelOptions, PushModelResult } from './push-model.ts';
export type { ClientContext, RemoteWorker } from './remote-worker.ts';
export { type RepairModelOptions, type RepairModelResult, repairFromDisk } from './repair-model.ts';
export type { Connector } from './session-link.ts';
export type * from './track/types.ts';
export type { AgentLimits, SpeedOptions } from './transfer-speed.ts';
export type { TransferReport } from './transfer-stats.ts';
