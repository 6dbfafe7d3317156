import { MIN_BUFFER_BYTES } from '../limits.ts';

/** What a chunk takes of memory: buffers come in powers of two, so that they can be used again for other chunks. */
export function bufferSize(bytes: number): number {
  return Math.max(MIN_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
}
