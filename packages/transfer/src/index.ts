export * from './core/index.ts';
export {
  type Destination,
  type PullComponents,
  type PullOptions,
  type PullOutcome,
  pull,
  receive,
} from './node/pull.ts';
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
export { loadZstd } from './node/zstd.ts';
