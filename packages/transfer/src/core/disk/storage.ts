/** What the disk engine is made of besides its layout: whatever keeps the bytes, and what the platform brings. */

/** The bytes of a model while they come, each chunk at its places. Synchronous: it is used off the main thread, or is memory. */
export interface ChunkFiles {
  /** Writes the chunk at this place of the layout. `bytes` may be reused afterwards. */
  write(place: number, bytes: Uint8Array): void;
  /** Fills `into` with the chunk at this place; false when the files end before it. */
  read(place: number, into: Uint8Array): boolean;
  /** Gives every file its size and mode, and returns when all of it survives a power cut, as far as the storage can. */
  flush(): Promise<void>;
  close(): void;
}

/** Remembers which chunks are in the files, for a later run. */
export interface Journal {
  /** Notes a chunk; `flush` keeps it. @param sum - of a range, what tells later whether its bytes are still those written */
  add(chunk: number, sum?: number): void;
  /** A range is no longer in the files: nothing else would tell a later run. */
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
  /** For files of which nothing but git's hash is known. */
  readonly createSha1: () => HashState;
  /** Does the work in a later turn, after what came before it. */
  readonly later: (work: () => void) => void;
}
