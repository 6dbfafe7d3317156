import type { ByteReader } from '../types.ts';
import { type BadTensor, type FloatFindings, FloatScan, type FloatSpan, isFloat } from './scan-floats.ts';

/** Read at the beginning, in the middle and at the end of a tensor. */
const SAMPLE_BYTES = 64 * 1024;
/** Of all tensors of a file together. */
const MAX_SAMPLED_BYTES = 256 * 1024 * 1024;
const MAX_BAD = 16;
/** No number is longer, so that samples that begin at a multiple of it cut none in two. */
const LONGEST_NUMBER = 8;

/** Read at once, where all numbers are looked at. */
const BLOCK_BYTES = 4 * 1024 * 1024;

export interface SampleOptions {
  /** Look at all numbers. */
  readonly all?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at some numbers of each tensor of a file, or at all. @throws what the reader throws, and the signal's reason */
export async function sampleFloats(
  reader: ByteReader,
  spans: readonly FloatSpan[],
  { all = false, signal }: SampleOptions = {},
): Promise<FloatFindings> {
  const bad: BadTensor[] = [];
  let [tensors, bytes, badTensors] = [0, 0, 0];
  for (const span of spans) {
    if (!isFloat(span.dtype) || (!all && bytes > MAX_SAMPLED_BYTES)) continue;
    tensors++;
    let [nans, infinities] = [0, 0];
    for (const [from, length] of all ? blocksIn(span.bytes) : placesIn(span.bytes)) {
      signal?.throwIfAborted();
      const scan = new FloatScan([{ ...span, start: 0, bytes: length }]);
      scan.update(await reader.read(span.start + from, length));
      const found = scan.finish();
      bytes += length;
      nans += found.bad[0]?.nans ?? 0;
      infinities += found.bad[0]?.infinities ?? 0;
    }
    if (nans + infinities === 0) continue;
    badTensors++;
    if (bad.length < MAX_BAD) bad.push({ name: span.name, nans, infinities });
  }
  return { tensors, bytes, badTensors, bad };
}

function placesIn(bytes: number): (readonly [from: number, length: number])[] {
  if (bytes <= 3 * SAMPLE_BYTES) return [[0, bytes]];
  const whole = (at: number) => Math.floor(at / LONGEST_NUMBER) * LONGEST_NUMBER;
  return [0, whole((bytes - SAMPLE_BYTES) / 2), whole(bytes - SAMPLE_BYTES)].map((from) => [from, SAMPLE_BYTES]);
}

function* blocksIn(bytes: number): Generator<readonly [from: number, length: number]> {
  for (let from = 0; from < bytes; from += BLOCK_BYTES) yield [from, Math.min(BLOCK_BYTES, bytes - from)];
}
