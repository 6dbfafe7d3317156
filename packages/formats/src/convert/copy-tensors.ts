import { gather, type Scratch } from './gather.ts';
import { isContiguous, slabsOf } from './slabs.ts';
import type { Conversion, TensorCopy, TensorSource } from './types.ts';

/** A run of the new file's bytes. */
export interface ConvertedBlock {
  readonly bytes: number;
  /** Fills the target, which is as long as the block. */
  fill(target: Uint8Array, source: TensorSource): Promise<void>;
}

/**
 * The new file in its order, in blocks of at most `blockBytes`. Whoever writes it holds as many of them as it wants; filling one
 * takes at most 16 MiB besides.
 */
export function* convertedBlocks({ header, tensors }: Conversion, blockBytes: number): Generator<ConvertedBlock> {
  let open: ConvertedBlock[] = [];
  let bytes = 0;
  const parts = function* (): Generator<ConvertedBlock> {
    yield* headerBlocks(header, blockBytes);
    const scratch: Scratch = {};
    for (const tensor of tensors) yield* tensorBlocks(tensor, blockBytes, scratch);
  };
  for (const part of parts()) {
    if (bytes + part.bytes > blockBytes) {
      yield joined(open, bytes);
      open = [];
      bytes = 0;
    }
    open.push(part);
    bytes += part.bytes;
  }
  if (bytes > 0) yield joined(open, bytes);
}

/** Small tensors are written together. */
function joined(parts: readonly ConvertedBlock[], bytes: number): ConvertedBlock {
  return {
    bytes,
    async fill(target, source) {
      let at = 0;
      for (const part of parts) {
        await part.fill(target.subarray(at, at + part.bytes), source);
        at += part.bytes;
      }
    },
  };
}

function* headerBlocks(header: Uint8Array, blockBytes: number): Generator<ConvertedBlock> {
  for (let at = 0; at < header.length; at += blockBytes) {
    const part = header.subarray(at, at + blockBytes);
    yield { bytes: part.length, fill: async (target) => target.set(part) };
  }
}

function* tensorBlocks(tensor: TensorCopy, blockBytes: number, scratch: Scratch): Generator<ConvertedBlock> {
  const swap = (target: Uint8Array) => {
    if (tensor.swappedBytes !== undefined) swapBytes(target, tensor.swappedBytes);
  };
  if (tensor.bytes === 0) return;
  if (isContiguous(tensor)) {
    for (let at = 0; at < tensor.bytes; at += blockBytes) {
      yield {
        bytes: Math.min(blockBytes, tensor.bytes - at),
        async fill(target, source) {
          await source.readInto(target, tensor.start + at);
          swap(target);
        },
      };
    }
    return;
  }
  for (const slab of slabsOf(tensor, blockBytes)) {
    yield {
      bytes: slab.bytes,
      async fill(target, source) {
        await gather(slab, target, source, scratch);
        swap(target);
      },
    };
  }
}

/** Turns each number of so many bytes around. */
function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
