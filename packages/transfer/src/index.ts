export type { CompressMode } from './compress/encoding-choice.ts';
export type { DiskCommand, DiskEvent, DiskJob, DiskPort, OpenDiskPort } from './disk/disk-messages.ts';
export { createNicePace, type NicePace, type NicePaceOptions } from './pace/nice-pace.ts';
export { combine, type Pace } from './pace/pace.ts';
export { createPace, type PaceOptions, type RatePace } from './pace/token-bucket.ts';
export { type PullComponents, type PullOptions, type PullOutcome, pull } from './pull.ts';
export {
  type ReceivedModel,
  type ReceiveOptions,
  type ReceptionOptions,
  receiveFromHere,
  receiveFromSources,
  receiveModel,
} from './receive-model.ts';
export {
  type ChunkRequestContext,
  type ChunkServer,
  type ChunkServerOptions,
  createChunkServer,
  type WantedChunks,
} from './serve/chunk-server.ts';
export type { ModelReader, OpenModel } from './serve/reader-pool.ts';
export type {
  DroppedSource,
  LaneBytes,
  OnTransferProgress,
  SourceBytes,
  StallWarning,
  TransferCounts,
  TransferProgress,
  TransferStage,
} from './session/progress.ts';
export { RateMeter } from './session/rate-meter.ts';
export { Watchdog } from './session/watchdog.ts';
export { type DiskSourceOptions, diskSource } from './sources/disk-source.ts';
export type { LocalChunks } from './sources/local-chunks.ts';
export { PeerEncodings, type PeerEncodingsOptions } from './sources/peer-encodings.ts';
export { type PeerPool, peerPool } from './sources/peer-pool.ts';
export { type ChunkPeer, type ChunkRequestOptions, type PeerSourceOptions, peerSource } from './sources/peer-source.ts';
export { type ChunkLane, type LanedPeer, type PeerSourcesOptions, peerSources } from './sources/peer-sources.ts';
export type { ChunkSource, FetchOptions, FetchResult, SourceLane, WantedChunk } from './sources/source.ts';
export { type PoolChange, SourcePool } from './sources/source-pool.ts';
export type { FreeSpace } from './staging/free-space.ts';
export { createPartialModels, type PartialModel, type PartialModels } from './staging/partial-models.ts';
export type { PartialReader } from './staging/partial-reader.ts';
export { type PlanOptions, planTransfer, type TransferPlan } from './staging/plan-transfer.ts';
export { type StageIntactOptions, stageIntactFiles } from './staging/stage-intact.ts';
export { type StagedTransfer, stagedNeeds, stagedTransfers } from './staging/staged-transfers.ts';
export { type AcquireLock, type DiscardStagingOptions, discardStaging, type HeldLock } from './staging/staging.ts';
