/** The entry of a hashing thread; `hash-engine.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Digest } from '@model-rtc/protocol';
import { createBlocks } from './hash-blocks.ts';
import { createChunkHashes, createFileHash, type HashState } from './hash-state.ts';

/** What the engine sends to a thread. The thread answers each request once, in order. */
export type HashThreadRequest =
  /** Starts a file. Without chunk sizes the thread computes one digest of the whole file. */
  | { readonly type: 'open'; readonly file: number; readonly chunkSizes: readonly number[] | undefined }
  | { readonly type: 'update'; readonly file: number; readonly block: number; readonly length: number }
  | { readonly type: 'finish'; readonly file: number };

/** The digests for `finish`, nothing for the others. */
export type HashThreadReply = readonly Digest[] | undefined;

const blocks = createBlocks(workerData as SharedArrayBuffer);
const files = new Map<number, HashState<Digest | Digest[]>>();

parentPort?.on('message', (request: HashThreadRequest) => parentPort?.postMessage(answer(request)));

function answer(request: HashThreadRequest): HashThreadReply {
  if (request.type === 'open') {
    const { file, chunkSizes } = request;
    files.set(file, chunkSizes === undefined ? createFileHash() : createChunkHashes(chunkSizes));
    return undefined;
  }
  const state = files.get(request.file);
  if (request.type === 'update') {
    const bytes = blocks[request.block]?.bytes.subarray(0, request.length);
    if (bytes !== undefined) state?.update(bytes);
    return undefined;
  }
  files.delete(request.file);
  const digests = state?.finish();
  return typeof digests === 'string' ? [digests] : (digests ?? []);
}
