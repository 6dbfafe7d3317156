import type { Digest } from '@model-rtc/protocol';
import { createInProcessEngine } from './in-process-engine.ts';
import { createThreadEngine } from './thread-engine.ts';

export interface FileDigests {
  readonly sha256: Digest;
  /** In the order of the sizes that `open` was given. */
  readonly chunks: readonly Digest[];
}

/** The hashing of one file, whose bytes come in order. */
export interface FileHashing {
  /** Takes the first `length` bytes of a block; resolves when the block may be filled again. */
  update(block: HashBlock, length: number): Promise<void>;
  /** After the last update has resolved. */
  finish(): Promise<FileDigests>;
}

/** A buffer of the engine's that a file is read into. */
export interface HashBlock {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Hashes files twice over, whole and by chunks, from one reading of their bytes. */
export interface HashEngine {
  /** The buffers; whoever reads a file shares them out. */
  readonly blocks: readonly HashBlock[];
  open(chunkSizes: readonly number[]): FileHashing;
  /** Ends the threads; what is open fails. */
  close(): Promise<void>;
}

/** Starting threads takes longer than hashing this much without them. */
export const MIN_BYTES_FOR_THREADS = 32 * 1024 * 1024;

/**
 * The engine for a number of bytes: two threads for large models, none for small ones. Threads need the built package:
 * Node 20 cannot load a .ts file in a thread, so code that runs from its sources (tests, tsx) hashes in the process.
 * @param memory for the threads, the engine's own until it is closed; new when left out
 */
export function createHashEngine(totalBytes: number, memory?: SharedArrayBuffer): HashEngine {
  const built = !import.meta.url.endsWith('.ts');
  return built && totalBytes >= MIN_BYTES_FOR_THREADS ? createThreadEngine(memory) : createInProcessEngine();
}
