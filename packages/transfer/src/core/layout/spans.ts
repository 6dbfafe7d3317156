import { type ContentsSpan, type Digest, MAX_CHUNK_BYTES, MAX_CHUNKS, ModelRtcError } from '@model-rtc/protocol';
import { hexToBytes } from '@noble/hashes/utils.js';

/** A chunk of a layout, before it has an id. */
export interface CutChunk {
  /** Undefined for a range. */
  readonly digest?: Digest | undefined;
  readonly size: number;
  /** The span that a range is a part of. */
  readonly span?: number | undefined;
  /** The same for ranges that have the same bytes, as parts of a span that occurs more than once. */
  readonly part?: string | undefined;
}

/** Runs of bytes that have a digest and are longer than a chunk may be. They cover all files, laid end to end. */
export interface Spans {
  /** Where each starts in the concatenation of all files, and at the end where the last one ends. */
  readonly offsets: Float64Array;
  /** 32 bytes each. */
  readonly digests: Uint8Array;
  /** By chunk id: the span that decides about this range. Undefined when the chunks come from a list of their own. */
  readonly ofRange: Uint32Array | undefined;
}

/** The size of the parts that a span is fetched in: as most files are cut. */
const PART_BYTES = 1024 * 1024;

/** Cuts spans into ranges. A span that is short enough to be one chunk is one, with its digest. */
export function cutSpans(spans: readonly ContentsSpan[]): CutChunk[] {
  const partBytes = partBytesFor(spans);
  const repeated = repeatedDigests(spans);
  return spans.flatMap(({ digest, size }, span) => {
    if (size <= partBytes) return [{ digest, size }];
    const parts: CutChunk[] = [];
    for (let at = 0; at < size; at += partBytes) {
      const part = repeated.has(digest) ? `${digest} ${at}` : undefined;
      parts.push({ digest: undefined, size: Math.min(partBytes, size - at), span, part });
    }
    return parts;
  });
}

/** @param ofRange - by chunk id */
export function layoutSpans(spans: readonly ContentsSpan[], ofRange: readonly number[] | undefined): Spans {
  const offsets = new Float64Array(spans.length + 1);
  for (const [i, { size }] of spans.entries()) offsets[i + 1] = (offsets[i] ?? 0) + size;
  return {
    offsets,
    digests: hexToBytes(spans.map(({ digest }) => digest).join('')),
    ofRange: ofRange === undefined ? undefined : Uint32Array.from(ofRange),
  };
}

export function spanDigest({ digests }: Spans, span: number): Uint8Array {
  return digests.subarray(span * 32, span * 32 + 32);
}

/** Uses larger parts only when there would be too many. */
function partBytesFor(spans: readonly ContentsSpan[]): number {
  for (let bytes = PART_BYTES; bytes <= MAX_CHUNK_BYTES; bytes *= 2) {
    if (spans.reduce((sum, { size }) => sum + Math.ceil(size / bytes), 0) <= MAX_CHUNKS) return bytes;
  }
  throw new ModelRtcError(
    'invalid_model',
    'The model is too large to be fetched at once. Nothing was stored. Fetch only some of its files.',
  );
}

function repeatedDigests(spans: readonly ContentsSpan[]): Set<string> {
  const seen = new Set<string>();
  return new Set(spans.flatMap(({ digest }) => (seen.size === seen.add(digest).size ? [digest] : [])));
}
