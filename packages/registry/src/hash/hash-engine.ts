import { Worker } from 'node:worker_threads';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { createBlockMemory, createBlocks } from './hash-blocks.ts';
import { createBothHashes } from './hash-state.ts';
import type { HashThreadReply, HashThreadRequest } from './hash-thread.ts';
import type { HashEngine } from './types.ts';

/** Starting threads takes longer than hashing this much without them. */
export const MIN_BYTES_FOR_THREADS = 32 * 1024 * 1024;

/**
 * The engine for a number of bytes: two threads for large models, none for small ones. Threads need the built package:
 * Node 20 cannot load a .ts file in a thread, so code that runs from its sources (tests, tsx) hashes in the process.
 * @param memory what the blocks lie in, from `createBlockMemory`. The engine's own until it is closed; new when left out
 */
export function createHashEngine(totalBytes: number, memory = createBlockMemory()): HashEngine {
  const built = !import.meta.url.endsWith('.ts');
  return built && totalBytes >= MIN_BYTES_FOR_THREADS ? createThreadEngine(memory) : createInProcessEngine(memory);
}

function createInProcessEngine(memory: SharedArrayBuffer): HashEngine {
  return {
    blocks: createBlocks(memory),
    open(chunkSizes) {
      const hashes = createBothHashes(chunkSizes);
      return {
        update: async (block, length) => hashes.update(block.bytes.subarray(0, length)),
        finish: async () => hashes.finish(),
      };
    },
    async close() {},
  };
}

/**
 * Two threads, one for whole files and one for chunks, read the same shared blocks at the same time. A file then costs the
 * time of one digest, and the process stays free for other work.
 */
function createThreadEngine(memory: SharedArrayBuffer): HashEngine {
  const wholeFiles = startThread(memory);
  const chunks = startThread(memory);
  const both = (request: HashThreadRequest) => Promise.all([wholeFiles.ask(request), chunks.ask(request)]);
  let opened = 0;
  return {
    blocks: createBlocks(memory),
    open(chunkSizes) {
      const file = opened++;
      const ready = Promise.all([
        wholeFiles.ask({ type: 'open', file, chunkSizes: undefined }),
        chunks.ask({ type: 'open', file, chunkSizes }),
      ]);
      // Requests are answered in order: a failure here fails the updates too, which are awaited.
      ready.catch(() => {});
      return {
        async update(block, length) {
          await both({ type: 'update', file, block: block.index, length });
        },
        async finish() {
          const [whole, parts] = await both({ type: 'finish', file });
          return { sha256: whole?.[0] as Digest, chunks: parts ?? [] };
        },
      };
    },
    async close() {
      await Promise.all([wholeFiles.end(), chunks.end()]);
    },
  };
}

interface HashThread {
  ask(request: HashThreadRequest): Promise<HashThreadReply>;
  end(): Promise<void>;
}

interface PendingRequest {
  readonly resolve: (reply: HashThreadReply) => void;
  readonly reject: (error: ModelRtcError) => void;
}

function startThread(memory: SharedArrayBuffer): HashThread {
  // Otherwise a thread takes over the process's arguments, and refuses some of them (--input-type).
  const options = { workerData: memory, execArgv: [], name: 'model-rtc-hash' };
  const worker = new Worker(new URL('./hash-thread.js', import.meta.url), options);
  const pending: PendingRequest[] = [];
  let failure: ModelRtcError | undefined;
  const fail = (cause: unknown) => {
    failure ??= new ModelRtcError('unexpected', 'A hashing thread ended early. Run the command again.', { cause });
    for (const { reject } of pending.splice(0)) reject(failure);
  };
  worker.on('message', (reply: HashThreadReply) => pending.shift()?.resolve(reply));
  worker.on('error', fail);
  worker.on('exit', fail);
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        pending.push({ resolve, reject });
        worker.postMessage(request);
      }),
    async end() {
      await worker.terminate();
    },
  };
}
