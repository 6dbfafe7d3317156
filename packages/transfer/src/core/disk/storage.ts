/** The parts of a disk engine: what holds the bytes, and what depends on the platform. */

/** The bytes of a model while they come, each chunk at its places. Synchronous: it is used in a thread, or is memory. */
export interface ChunkFiles {
  /** Writes the chunk at this place of the layout. `bytes` may be reused afterwards. */
  write(place: number, bytes: Uint8Array): void;
  /** Fills `into` with the chunk at this place; false when the files are too short. */
  read(place: number, into: Uint8Array): boolean;
  /** Sets every file's size and mode, and resolves when everything survives a power cut, as far as the storage can promise. */
  flush(): Promise<void>;
  close(): void;
}

/** Remembers which chunks are in the files, for a later run. */
export interface Journal {
  /** Adds a chunk; `flush` writes it. @param sum - for a range: tells later whether its bytes are still those written */
  add(chunk: number, sum?: number): void;
  /** Notes that a range is no longer in the files; a later run could not tell otherwise. */
  remove(range: number): void;
  flush(): void;
  close(): void;
}

/** A hash that is being made. */
export interface HashState {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export interface DiskParts {
  readonly files: ChunkFiles;
  readonly journal: Journal;
  readonly createSha256: () => HashState;
  /** For files that have only git's hash. */
  readonly createSha1: () => HashState;
  /** Does the work in a later turn, after earlier work. */
  readonly later: (work: () => void) => void;
}
