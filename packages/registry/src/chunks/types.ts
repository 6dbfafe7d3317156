import type { Digest, Manifest } from '@model-rtc/protocol';

/** Where a chunk's bytes were when its model was registered. Whoever reads them verifies them. */
export interface ChunkLocation {
  readonly model: Digest;
  /** Bytes from the start of the model's files laid end to end. */
  readonly offset: number;
  readonly size: number;
}

/** Where the chunks of this machine's models lie: a cache over their manifests, shared by any number of processes. */
export interface ChunkIndex {
  /** Whether the model's chunks are in it. */
  has(model: Digest): Promise<boolean>;
  /** Adds a model's chunks, all of them or none; does nothing when they are there. */
  add(model: Digest, manifest: Manifest): Promise<void>;
  /** @param manifest the one that they were added by; without it their places stay, unused */
  remove(model: Digest, manifest: Manifest | undefined): Promise<void>;
  /** The first place of each chunk in a model that `isWanted`; chunks that have none are not in the map. */
  locate(chunks: Iterable<Digest>, isWanted: (model: Digest) => boolean): Promise<Map<Digest, ChunkLocation>>;
  /** Throws all of it away, so that it is made new. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Finds chunks in the models of this machine, and reads them there. */
export interface LocatedChunks {
  /** @param except a model that is not looked into */
  locate(digests: Iterable<Digest>, except?: Digest): Promise<Map<Digest, ChunkLocation>>;
  read(location: ChunkLocation, into: Uint8Array | undefined): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
