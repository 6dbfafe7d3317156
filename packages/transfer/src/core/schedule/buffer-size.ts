import { MIN_BUFFER_BYTES } from '../limits.ts';

/** The memory that a chunk takes: buffers come in powers of two, so that other chunks can reuse them. */
export function bufferSize(bytes: number): number {
  return Math.max(MIN_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
}
