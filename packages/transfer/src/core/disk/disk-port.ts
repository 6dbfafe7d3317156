import type { Digest, ErrorData } from '@model-rtc/protocol';
import type { Layout } from '../layout/layout.ts';

/** What any disk is opened with. Plain data, so that it can go to a thread. */
export interface DiskJob {
  readonly layout: Layout;
  /** By id: 1 for each chunk that an earlier run wrote, according to its journal. */
  readonly journalled: Uint8Array;
  /** By id, for journalled ranges: the start of the SHA-256 of what was written. Left out when there are none. */
  readonly sums?: Uint32Array | undefined;
}

/** Memory that a chunk is assembled in. The disk makes it: one with a thread shares it instead of copying. */
export interface ChunkMemory {
  readonly bytes: Uint8Array;
  /** Copies the piece into `bytes` at the offset; it fits there. */
  write(offset: number, piece: Uint8Array): void;
}

/** A command to a disk. */
export type DiskCommand =
  /** Check the chunk in this buffer and write it. `memory` comes with the first use of a buffer. */
  | { readonly type: 'store'; readonly chunk: number; readonly buffer: number; readonly memory: Uint8Array | undefined }
  /** The buffer will not be used again. */
  | { readonly type: 'forget'; readonly buffer: number }
  /** Look whether these chunks are in the files, whatever the journal says. */
  | { readonly type: 'check'; readonly chunks: readonly number[] }
  /** Everything is there: set sizes and modes, and flush. */
  | { readonly type: 'flush' };

/** What a disk reports. */
export type DiskEvent =
  /** The chunk is written, and was right or is a range, which cannot be checked yet; its buffer is free. */
  | { readonly type: 'verified'; readonly chunk: number; readonly buffer: number }
  /** The chunk has a different SHA-256; nothing was written, and its buffer is free. */
  | { readonly type: 'wrong'; readonly chunk: number; readonly buffer: number }
  /** The answer to `check`, for each chunk. */
  | { readonly type: 'checked'; readonly chunk: number; readonly present: boolean }
  /** Chunks that were in the journal, or were written, turned out wrong and must be fetched again. */
  | { readonly type: 'lost'; readonly chunks: readonly number[] }
  /** The file's hash is wrong although every byte is as it was written: these ranges of it must be fetched again. */
  | { readonly type: 'wrong_file'; readonly file: number; readonly chunks: readonly number[] }
  /** The digest of the span is wrong: all of its ranges, which came in this run, must be fetched again. */
  | { readonly type: 'wrong_span'; readonly span: number; readonly chunks: readonly number[] }
  /** The computed SHA-256 of a right file that has none in the layout. */
  | { readonly type: 'file_hash'; readonly file: number; readonly sha256: Digest }
  /** The whole-file hashes took in this many bytes. */
  | { readonly type: 'hashed'; readonly bytes: number }
  /** Every file has its SHA-256. */
  | { readonly type: 'whole' }
  | { readonly type: 'flushed' }
  /** Nothing more is done after this. */
  | { readonly type: 'failed'; readonly error: ErrorData };

/**
 * Where a transfer keeps its bytes: files on a disk, in a thread or not, or memory. It checks what it stores, and hashes each
 * file as its chunks come. Every kind of disk keeps to this:
 * - It does commands in the order they were posted. Events come in batches, in a later turn of the event loop than the
 *   `open` or `post` that caused them.
 * - `verified` comes after the bytes are in all places of the chunk and in the journal, if it has one: a chunk
 *   that was told as verified is there after the process is killed. A wrong chunk changes nothing.
 * - It uses a buffer from `store` until `verified` or `wrong` names it, and reads its memory only then. It keeps the memory
 *   that came with a buffer's first use until `forget`.
 * - `whole` comes when every file has its SHA-256, again after each `lost`, `wrong_file` and `wrong_span`. `flushed` answers `flush` when
 *   everything survives a power cut, as far as the storage can promise that.
 * - After `failed` it does nothing more. `close` may be called then, too.
 */
export interface DiskPort {
  /** Makes memory for chunks of at most this many bytes. */
  allocate(bytes: number): ChunkMemory;
  post(commands: DiskCommand[]): void;
  /** Does what was posted before, so that every chunk that came is kept, then closes all files. Reports nothing more. */
  close(): Promise<void>;
}

/** Opens a disk. When that fails it throws, or reports `failed`. */
export type OpenDiskPort<Job extends DiskJob = DiskJob> = (
  job: Job,
  onEvents: (events: readonly DiskEvent[]) => void,
) => DiskPort;

/** The disk of one model. It outlives the ports that write to it, so a failed transfer can be resumed. */
export interface ModelDisk {
  /** Opens the disk for one transfer. */
  open(onEvents: (events: readonly DiskEvent[]) => void): DiskPort;
  /** By id: 1 for each chunk that came and was right. */
  present(): Uint8Array;
}
