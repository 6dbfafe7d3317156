/** The part that also runs in a browser: scheduling, verifying, sources, serving, memory. Zstd, lanes and disks are passed in. */
export type { CompressMode } from './compress/encoding-choice.ts';
export type { Zstd } from './compress/zstd.ts';
export type { DiskCommand, DiskEvent, DiskJob, DiskPort, ModelDisk, OpenDiskPort } from './disk/disk-port.ts';
export { createMemoryDisk, type MemoryDisk, type MemoryDiskOptions } from './disk/memory-disk.ts';
export { type FetchModelOptions, fetchModel } from './fetch-model.ts';
export { contentsKey } from './layout/contents-key.ts';
export { type Layout, planLayout } from './layout/layout.ts';
export { Attempts, closedError, type RetryOptions } from './provider/attempts.ts';
export {
  type FoundModel,
  findHere,
  findModel,
  type LocalNames,
  type NamedModel,
  type Reference,
  resolveReference,
} from './provider/find-model.ts';
export { requireAgreement } from './provider/merge-contents.ts';
export type {
  FetchedModel,
  InstalledModel,
  ModelProvider,
  ProvidedModel,
  Reachable,
  ServeOptions,
  WantedModel,
} from './provider/model-provider.ts';
export { ProviderNames, shortOrigin } from './provider/provider-names.ts';
export type { ProviderNews } from './provider/provider-news.ts';
export { contentsOf, Swarm } from './provider/swarm.ts';
export {
  type BackgroundLimiter,
  type BackgroundLimiterOptions,
  createBackgroundLimiter,
} from './rate/background-limiter.ts';
export { DEFAULT_PRIORITY, goesBefore, PRIORITIES, type Priority } from './rate/priority.ts';
export { combine, type RateLimiter } from './rate/rate-limiter.ts';
export { limitTransfer, type Prioritized, type SizeTier, tierRate } from './rate/size-tiers.ts';
export { type AdjustableLimiter, createRateLimiter, type RateLimiterOptions } from './rate/token-bucket.ts';
export {
  type ChunkRequestContext,
  type ChunkServer,
  type ChunkServerOptions,
  createChunkServer,
  type WantedChunks,
} from './serve/chunk-server.ts';
export type { ModelReader, OpenModel } from './serve/reader-pool.ts';
export { Slots } from './serve/slots.ts';
export type {
  OnTransferProgress,
  StallWarning,
  TransferCounts,
  TransferProgress,
  TransferStage,
} from './session/progress.ts';
export { inProportion, RateMeter } from './session/rate-meter.ts';
export type { DroppedSource, LaneBytes, SourceBytes } from './session/stats.ts';
export { Watchdog } from './session/watchdog.ts';
export { type DiskSourceOptions, diskSource } from './sources/disk-source.ts';
export type { LocalChunks } from './sources/local-chunks.ts';
export type { FileHere, LocalFiles, WantedFile } from './sources/local-files.ts';
export { PeerEncodings, type PeerEncodingsOptions } from './sources/peer-encodings.ts';
export { type PeerPool, peerPool } from './sources/peer-pool.ts';
export {
  type ChunkLane,
  type ChunkPeer,
  type ChunkRequestOptions,
  type LanedPeer,
  type PeerSourceOptions,
  type PeerSourcesOptions,
  peerSource,
  peerSources,
} from './sources/peer-sources.ts';
export { deliverTo, type ReadPart } from './sources/read-parts.ts';
export type { ChunkSource, FetchOptions, FetchResult, FileExtent, SourceLane, WantedChunk } from './sources/source.ts';
export { type PoolChange, SourcePool } from './sources/source-pool.ts';
export { wantedChunk } from './sources/wanted-chunk.ts';
