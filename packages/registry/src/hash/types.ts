import type { ByteReader } from '@model-rtc/formats';
import type { FloatFindings, FloatSpan } from '@model-rtc/formats/validation';
import type { Digest, Manifest } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { ProgressOptions } from '../progress.ts';
import type { FileStat } from '../store/types.ts';

/** A file of a model, open for reading, that notices when it is no longer the file that was scanned. */
export interface SourceFile extends ByteReader, AsyncDisposable {
  /** Fills the target from `offset`. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Compares the file under its path with the scan once more. Call it after the last byte was read. */
  confirm(): Promise<FileStat>;
}

export interface FileDigests {
  readonly sha256: Digest;
  /** In the order of the sizes that `open` was given. */
  readonly chunks: readonly Digest[];
}

/** The digests of one file, and what its numbers are where they were looked at. */
export interface FileFindings extends FileDigests {
  readonly floats?: FloatFindings | undefined;
}

/** One of an engine's buffers. A file is read into it. */
export interface HashBlock {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** The hashing of one file. Its bytes come in order. */
export interface FileHashing {
  /** Takes the first `length` bytes of a block; resolves when the block may be filled again. */
  update(block: HashBlock, length: number): Promise<void>;
  /** Call it after the last update has resolved. */
  finish(): Promise<FileFindings>;
}

/** Hashes files as a whole and by chunks in one reading. Disposing ends the threads; what is open fails. */
export interface HashEngine extends AsyncDisposable {
  /** The buffers; whoever reads a file hands them out. */
  readonly blocks: readonly HashBlock[];
  /** @param spans - where numbers lie that are to be looked at in the same reading */
  open(chunkSizes: readonly number[], spans?: readonly FloatSpan[]): FileHashing;
}

/** The hashes of a file's bytes. */
export interface FileHashes extends FileDigests {
  readonly chunkSizes: readonly number[];
}

/** A file before it is hashed. */
export interface CacheableFile {
  readonly absolutePath: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/**
 * The hashes of files that were read before, so that no file is read twice while it stays as it is. Any number of processes
 * share it, and it survives restarts. It only saves time: whatever fails in it is logged, and the file is read.
 */
export interface HashCache {
  get(file: CacheableFile): Promise<FileHashes | undefined>;
  /** @param readFromMs `nowMs` from before the reading began */
  put(file: CacheableFile, hashes: FileHashes, readFromMs: number): Promise<void>;
  /** This machine's clock. */
  nowMs(): number;
  close(): Promise<void>;
}

/** The sizes of a file's chunks, see `planChunks` of formats. */
export type PlanChunks = (file: ScannedFile) => Promise<number[]>;

/** `onProgress` is called for each block of about 2 MiB and each small file. */
export interface HashOptions extends ProgressOptions {
  /** Plans the chunks of large files; the process itself does it when left out. */
  readonly planChunks?: PlanChunks | undefined;
  /** Files that it knows are not read. */
  readonly cache?: HashCache | undefined;
}

export interface HashedFiles {
  readonly manifest: Manifest;
  /** One for each file, in the same order. */
  readonly stats: readonly FileStat[];
}

/** One file's part of a manifest. */
export interface HashedFile extends FileHashes {
  readonly stats: FileStat;
}
