import { plainCuts } from '@model-rtc/formats';
import { MAX_CHUNK_BYTES, ModelRtcError } from '@model-rtc/protocol';

/**
 * Chunk sizes of all files that fit a manifest: those planned, if there are not too many, else plain cuts as small as
 * will do. Only models beyond some 400 GB, or with a great many small tensors, meet this.
 * @param plans the planned sizes of each file
 * @param maxChunks how many chunks all files together may have
 * @throws ModelRtcError `invalid_model` when the largest chunks are still too many.
 */
export function fitPlans(plans: readonly (readonly number[])[], maxChunks: number): (readonly number[])[] {
  if (countChunks(plans) <= maxChunks) return [...plans];
  const sizes = plans.map((plan) => plan.reduce((sum, size) => sum + size, 0));
  for (let chunkBytes = MAX_CHUNK_BYTES / 4; chunkBytes <= MAX_CHUNK_BYTES; chunkBytes *= 2) {
    const count = sizes.reduce((sum, size) => sum + Math.ceil(size / chunkBytes), 0);
    if (count <= maxChunks) return sizes.map((size) => plainCuts(size, chunkBytes));
  }
  throw new ModelRtcError(
    'invalid_model',
    `The model is too large for one manifest (${maxChunks} chunks of ${MAX_CHUNK_BYTES} bytes); import its parts one by one.`,
  );
}

function countChunks(plans: readonly (readonly number[])[]): number {
  return plans.reduce((sum, plan) => sum + plan.length, 0);
}
