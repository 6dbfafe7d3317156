import type { ErrorData } from '@model-rtc/protocol';
import type { Layout } from '../layout/layout.ts';

/** What a disk is started with. Plain data: it goes to a thread. */
export interface DiskJob {
  readonly layout: Layout;
  readonly filesFolder: string;
  readonly journalPath: string;
  /** By id: 1 for each chunk that the journal has. */
  readonly journalled: Uint8Array;
}

/** What the disk is told. */
export type DiskCommand =
  /** Check the chunk in this buffer and write it. `memory` comes with the first use of a buffer. */
  | { readonly type: 'store'; readonly chunk: number; readonly buffer: number; readonly memory: Uint8Array | undefined }
  /** The buffer will not be used again. */
  | { readonly type: 'forget'; readonly buffer: number }
  /** Look whether these chunks are in the files, whatever the journal says. */
  | { readonly type: 'check'; readonly chunks: readonly number[] }
  /** All is there: set sizes and modes and flush everything. */
  | { readonly type: 'flush' };

/** What the disk tells. */
export type DiskEvent =
  /** The chunk was right and is written; its buffer is free. */
  | { readonly type: 'verified'; readonly chunk: number; readonly buffer: number }
  /** The chunk's SHA-256 is another; nothing was written and its buffer is free. */
  | { readonly type: 'wrong'; readonly chunk: number; readonly buffer: number }
  /** The answer to `check`, for each chunk. */
  | { readonly type: 'checked'; readonly chunk: number; readonly present: boolean }
  /** Chunks that were there, as the journal said or as they were written, turned out wrong; they must be fetched again. */
  | { readonly type: 'lost'; readonly chunks: readonly number[] }
  /** Bytes that the whole-file hashes went on by. */
  | { readonly type: 'hashed'; readonly bytes: number }
  /** Every file has its SHA-256. */
  | { readonly type: 'whole' }
  | { readonly type: 'flushed' }
  /** Nothing more is done after this. */
  | { readonly type: 'failed'; readonly error: ErrorData };

/** The way to a disk engine, in a thread or not. Commands are done in order; events come in batches. */
export interface DiskPort {
  post(commands: DiskCommand[]): void;
  /** Does what was posted before, so that every chunk that came is kept, then closes all files. Tells nothing more. */
  close(): Promise<void>;
}

export type OpenDiskPort = (job: DiskJob, onEvents: (events: readonly DiskEvent[]) => void) => DiskPort;
