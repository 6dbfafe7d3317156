/** The entry of a hashing thread; `hash-engine.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FloatFindings, FloatSpan } from '@model-rtc/formats/validation';
import type { Digest } from '@model-rtc/protocol';
import { createBlocks } from './hash-blocks.ts';
import { createChunkHashes, createFileHash, type HashState } from './hash-state.ts';

/** What a thread makes of a file. */
export type HashWork =
  /** One digest of the whole file. */
  | { readonly kind: 'file' }
  | { readonly kind: 'chunks'; readonly sizes: readonly number[] }
  /** What its numbers are; only for a thread that was started for it. */
  | { readonly kind: 'floats'; readonly spans: readonly FloatSpan[] };

export interface HashThreadData {
  readonly memory: SharedArrayBuffer;
  readonly scansFloats: boolean;
}

/** What the engine sends to a thread. The thread answers each request once, in order. */
export type HashThreadRequest =
  | { readonly type: 'open'; readonly file: number; readonly work: HashWork }
  | { readonly type: 'update'; readonly file: number; readonly block: number; readonly length: number }
  | { readonly type: 'finish'; readonly file: number };

/** The digests, or what the numbers are, for `finish`; nothing for the others. */
export type HashThreadReply = readonly Digest[] | FloatFindings | undefined;

const { memory, scansFloats } = workerData as HashThreadData;
const blocks = createBlocks(memory);
const files = new Map<number, HashState<Digest | Digest[] | FloatFindings>>();
// Most threads only hash, and start sooner without it.
const floats = scansFloats ? await import('@model-rtc/formats/validation') : undefined;

parentPort?.on('message', (request: HashThreadRequest) => parentPort?.postMessage(answer(request)));

function answer(request: HashThreadRequest): HashThreadReply {
  if (request.type === 'open') {
    const state = stateOf(request.work);
    if (state !== undefined) files.set(request.file, state);
    return undefined;
  }
  const state = files.get(request.file);
  if (request.type === 'update') {
    const bytes = blocks[request.block]?.bytes.subarray(0, request.length);
    if (bytes !== undefined) state?.update(bytes);
    return undefined;
  }
  files.delete(request.file);
  const found = state?.finish();
  return typeof found === 'string' ? [found] : found;
}

function stateOf(work: HashWork): HashState<Digest | Digest[] | FloatFindings> | undefined {
  if (work.kind === 'file') return createFileHash();
  if (work.kind === 'chunks') return createChunkHashes(work.sizes);
  return floats === undefined ? undefined : new floats.FloatScan(work.spans);
}
