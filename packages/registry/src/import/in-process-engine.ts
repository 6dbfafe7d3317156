import { BLOCK_BYTES, BLOCK_COUNT, createBlocks } from './hash-blocks.ts';
import type { HashEngine } from './hash-engine.ts';
import { createChunkHashes, createFileHash } from './hash-state.ts';

/** The engine without threads, for small models and for code that runs from its sources. */
export function createInProcessEngine(): HashEngine {
  return {
    blocks: createBlocks(new SharedArrayBuffer(BLOCK_COUNT * BLOCK_BYTES)),
    open(chunkSizes) {
      const file = createFileHash();
      const chunks = createChunkHashes(chunkSizes);
      return {
        async update(block, length) {
          const bytes = block.bytes.subarray(0, length);
          file.update(bytes);
          chunks.update(bytes);
        },
        async finish() {
          return { sha256: file.finish(), chunks: chunks.finish() };
        },
      };
    },
    async close() {},
  };
}
