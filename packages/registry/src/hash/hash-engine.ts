import { createInProcessEngine } from './in-process-engine.ts';
import { createThreadEngine } from './thread-engine.ts';
import type { HashEngine } from './types.ts';

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
