export type { DiskCommand, DiskEvent, DiskJob, DiskPort, OpenDiskPort } from './disk/disk-messages.ts';
export { type PullComponents, type PullOptions, type PullOutcome, pull } from './pull.ts';
export { type ReceivedModel, type ReceiveOptions, receiveModel } from './receive-model.ts';
export {
  type ChunkRequestContext,
  type ChunkServer,
  type ChunkServerOptions,
  createChunkServer,
  type WantedChunks,
} from './serve/chunk-server.ts';
export type { ModelReader, OpenModel } from './serve/reader-pool.ts';
export type { Clock } from './session/clock.ts';
export type {
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
export { type ChunkPeer, peerSource } from './sources/peer-source.ts';
export type { ChunkSource, FetchOptions, WantedChunk } from './sources/source.ts';
export type { FreeSpace } from './staging/free-space.ts';
export { type StageIntactOptions, stageIntactFiles } from './staging/stage-intact.ts';
export { type StagedTransfer, stagedNeeds, stagedTransfers } from './staging/staged-transfers.ts';
export { type AcquireLock, type DiscardStagingOptions, discardStaging, type HeldLock } from './staging/staging.ts';
