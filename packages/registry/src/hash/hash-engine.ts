import { Worker } from 'node:worker_threads';
import { type FloatFindings, FloatScan } from '@model-rtc/formats/validation';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { createBlockMemory, createBlocks } from './hash-blocks.ts';
import { createBothHashes } from './hash-state.ts';
import type { HashThreadData, HashThreadReply, HashThreadRequest } from './hash-thread.ts';
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
    open(chunkSizes, spans) {
      const hashes = createBothHashes(chunkSizes);
      const scan = spans === undefined ? undefined : new FloatScan(spans);
      return {
        async update(block, length) {
          const bytes = block.bytes.subarray(0, length);
          hashes.update(bytes);
          scan?.update(bytes);
        },
        finish: async () => ({ ...hashes.finish(), floats: scan?.finish() }),
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Two threads, one for whole files and one for chunks, read the same shared blocks at the same time. A file then costs the
 * time of one digest, and the process stays free for other work. A third one looks at numbers, where it is asked to.
 */
function createThreadEngine(memory: SharedArrayBuffer): HashEngine {
  const wholeFiles = startThread({ memory, scansFloats: false });
  const chunks = startThread({ memory, scansFloats: false });
  let floats: HashThread | undefined;
  let opened = 0;
  return {
    blocks: createBlocks(memory),
    open(chunkSizes, spans) {
      const file = opened++;
      if (spans !== undefined) floats ??= startThread({ memory, scansFloats: true });
      const threads = spans === undefined || floats === undefined ? [wholeFiles, chunks] : [wholeFiles, chunks, floats];
      const all = (request: HashThreadRequest) => Promise.all(threads.map((thread) => thread.ask(request)));
      const ready = Promise.all([
        wholeFiles.ask({ type: 'open', file, work: { kind: 'file' } }),
        chunks.ask({ type: 'open', file, work: { kind: 'chunks', sizes: chunkSizes } }),
        spans && floats?.ask({ type: 'open', file, work: { kind: 'floats', spans } }),
      ]);
      // Requests are answered in order: a failure here fails the updates too, which are awaited.
      ready.catch(() => {});
      return {
        async update(block, length) {
          await all({ type: 'update', file, block: block.index, length });
        },
        async finish() {
          const [whole, parts, found] = await all({ type: 'finish', file });
          const [sha256] = whole as readonly [Digest];
          return { sha256, chunks: (parts ?? []) as readonly Digest[], floats: found as FloatFindings | undefined };
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([wholeFiles.end(), chunks.end(), floats?.end()]);
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

function startThread(data: HashThreadData): HashThread {
  // Otherwise a thread takes over the process's arguments, and refuses some of them (--input-type).
  const options = { workerData: data, execArgv: [], name: 'model-rtc-hash' };
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
