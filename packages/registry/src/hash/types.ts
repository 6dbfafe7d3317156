import type { ByteReader } from '@model-rtc/formats';
import type { Digest, Manifest } from '@model-rtc/protocol';

/** What a file's state was when it was hashed; a later import or transfer compares with it. */
export interface FileStats {
  readonly path: string;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

/** A file of a model, open for reading, that notices when the file is not the scanned one any more. */
export interface SourceFile extends ByteReader {
  /** Fills the target from `offset`. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Compares the file under its path with the scan once more. To be called after the last byte was read. */
  confirm(): Promise<FileStats>;
  close(): Promise<void>;
}

export interface FileDigests {
  readonly sha256: Digest;
  /** In the order of the sizes that `open` was given. */
  readonly chunks: readonly Digest[];
}

/** A buffer of the engine's that a file is read into. */
export interface HashBlock {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** The hashing of one file, whose bytes come in order. */
export interface FileHashing {
  /** Takes the first `length` bytes of a block; resolves when the block may be filled again. */
  update(block: HashBlock, length: number): Promise<void>;
  /** After the last update has resolved. */
  finish(): Promise<FileDigests>;
}

/** Hashes files twice over, whole and by chunks, from one reading of their bytes. */
export interface HashEngine {
  /** The buffers; whoever reads a file shares them out. */
  readonly blocks: readonly HashBlock[];
  open(chunkSizes: readonly number[]): FileHashing;
  /** Ends the threads; what is open fails. */
  close(): Promise<void>;
}

/** What was found of a file's bytes. */
export interface FileHashes extends FileDigests {
  readonly chunkSizes: readonly number[];
}

/** A file as it is known before it is hashed. */
export interface CacheableFile {
  readonly absolutePath: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** A file whose hashes are known, as it was when they were looked up. */
export interface KnownFile extends FileHashes {
  readonly ino: bigint;
}

/**
 * The hashes of files that were read before, so that no file is read twice while it stays as it is; shared by any number
 * of processes, and kept over restarts. It only saves time: whatever fails in it is logged, and the file is read.
 */
export interface HashCache {
  get(file: CacheableFile): Promise<KnownFile | undefined>;
  /** @param readFromMs `now` from before the reading began */
  put(file: CacheableFile, hashes: FileHashes, readFromMs: number): Promise<void>;
  /** Milliseconds of this machine's clock. */
  now(): number;
  close(): Promise<void>;
}

export interface HashProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called for each block of about 2 MiB and each small file. */
  readonly onProgress?: ((progress: HashProgress) => void) | undefined;
  /** Files that it knows are not read. */
  readonly cache?: HashCache | undefined;
}

export interface HashedFiles {
  readonly manifest: Manifest;
  /** One for each file, in the same order. */
  readonly stats: readonly FileStats[];
}

/** One file's part of a manifest. */
export interface HashedFile extends FileDigests {
  readonly chunkSizes: readonly number[];
  readonly stats: FileStats;
}

/** What the passes over small and large files share. */
export interface HashPass {
  readonly maxChunks: number;
  /** @throws ModelRtcError `cancelled` */
  throwIfCancelled(): void;
  addProgress(bytes: number): void;
}
