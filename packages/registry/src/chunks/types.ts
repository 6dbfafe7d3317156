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
  /** Whether this process has opened it. */
  readonly isOpen: boolean;
  /** Whether the model's chunks are in it. */
  has(model: Digest): Promise<boolean>;
  /** Adds all of a model's chunks or none; does nothing when they are there already. */
  add(model: Digest, manifest: Manifest): Promise<void>;
  /** @param manifest the one they were added with; without it their places stay, unused */
  remove(model: Digest, manifest: Manifest | undefined): Promise<void>;
  /** The first place of each chunk in a model that `isWanted`. Chunks without one are not in the map. */
  locate(chunks: Iterable<Digest>, isWanted: (model: Digest) => boolean): Promise<Map<Digest, ChunkLocation>>;
  /** Throws the whole index away; it is built again on the next use. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Finds chunks in the models of this machine, and reads them there. */
export interface LocatedChunks {
  /** @param except a model to leave out */
  locate(digests: Iterable<Digest>, except?: Digest): Promise<Map<Digest, ChunkLocation>>;
  read(location: ChunkLocation, into: Uint8Array | undefined): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
