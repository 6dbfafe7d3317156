import { createBlockMemory, createBlocks } from './hash-blocks.ts';
import { createChunkHashes, createFileHash } from './hash-state.ts';
import type { HashEngine } from './types.ts';

/** The engine without threads, for small models and for code that runs from its sources. */
export function createInProcessEngine(): HashEngine {
  return {
    blocks: createBlocks(createBlockMemory()),
    open(chunkSizes) {
      const file = createFileHash();
      // The digest of a file's only chunk is the file's own.
      const chunks = chunkSizes.length === 1 ? undefined : createChunkHashes(chunkSizes);
      return {
        async update(block, length) {
          const bytes = block.bytes.subarray(0, length);
          file.update(bytes);
          chunks?.update(bytes);
        },
        async finish() {
          const sha256 = file.finish();
          return { sha256, chunks: chunks?.finish() ?? [sha256] };
        },
      };
    },
    async close() {},
  };
}
