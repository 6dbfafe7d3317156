import { Worker } from 'node:worker_threads';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { createBlockMemory, createBlocks } from './hash-blocks.ts';
import type { HashThreadReply, HashThreadRequest } from './hash-thread-messages.ts';
import type { HashEngine } from './types.ts';

/**
 * The engine with two threads: one for whole files, one for chunks. They read the same shared blocks at the same time,
 * so that a file costs the time of one digest and the process stays free for other work.
 * @param memory of `createBlockMemory`, the engine's own until it is closed
 */
export function createThreadEngine(memory = createBlockMemory()): HashEngine {
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

interface Waiting {
  readonly resolve: (reply: HashThreadReply) => void;
  readonly reject: (error: ModelRtcError) => void;
}

function startThread(memory: SharedArrayBuffer): HashThread {
  // A thread takes the process's arguments over otherwise, and refuses some of them (--input-type).
  const options = { workerData: memory, execArgv: [], name: 'model-rtc-hash' };
  const worker = new Worker(new URL('./hash-thread.js', import.meta.url), options);
  const waiting: Waiting[] = [];
  let failure: ModelRtcError | undefined;
  const fail = (cause: unknown) => {
    failure ??= new ModelRtcError('unexpected', 'A hashing thread ended early; run the command again.', { cause });
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.on('message', (reply: HashThreadReply) => waiting.shift()?.resolve(reply));
  worker.on('error', fail);
  worker.on('exit', fail);
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiting.push({ resolve, reject });
        worker.postMessage(request);
      }),
    async end() {
      await worker.terminate();
    },
  };
}
