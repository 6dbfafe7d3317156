export * from './core/index.ts';
export { type ComingModel, comingModel, type MakeRoomOptions, makeRoomFor, type StorageCap } from './node/make-room.ts';
export { openPull, type PullComponents, type PullOptions, type PullOutcome } from './node/pull.ts';
export { type ReceiveDataOptions, type ReceivedData, receiveData } from './node/receive-data.ts';
export {
  type ReceivedModel,
  type ReceiveOptions,
  type ReceptionOptions,
  receiveFromHere,
  receiveFromSources,
  receiveModel,
} from './node/receive-model.ts';
export { createChunkServer } from './node/serve.ts';
export type { FreeSpace } from './node/staging/free-space.ts';
export { createPartialModels, type PartialModel, type PartialModels } from './node/staging/partial-models.ts';
export type { PartialReader } from './node/staging/partial-reader.ts';
export { type PlanOptions, planTransfer, type TransferPlan } from './node/staging/plan-transfer.ts';
export { type StageIntactOptions, stageIntactFiles } from './node/staging/stage-intact.ts';
export { earlierContent, type StagedTransfer, stagedNeeds, stagedTransfers } from './node/staging/staged-transfers.ts';
export { type DiscardStagingOptions, discardStaging } from './node/staging/staging.ts';
export {
  type CancelledTransfer,
  cancelTransfer,
  type PrioritizedTransfer,
  prioritizeTransfer,
} from './node/transfers/asks.ts';
export { findTransfer, readTransfers } from './node/transfers/record-file.ts';
export {
  type TrackedTransfer,
  type TrackOptions,
  trackTransfer,
} from './node/transfers/track-transfer.ts';
export {
  isOver,
  stepOfTransfer,
  type TransferAbout,
  type TransferKind,
  type TransferRecord,
  type TransferState,
  type TransferStep,
  wayOf,
} from './node/transfers/types.ts';
export { loadZstd } from './node/zstd.ts';
