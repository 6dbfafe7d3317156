/** A run of numbers in a file. */
export interface FloatSpan {
  readonly name: string;
  /** As safetensors calls it, such as `BF16`. */
  readonly dtype: string;
  readonly start: number;
  readonly bytes: number;
}

/** A tensor with numbers that are none. */
export interface BadTensor {
  readonly name: string;
  readonly nans: number;
  readonly infinities: number;
}

export interface FloatFindings {
  /** Tensors whose numbers were looked at, and the bytes of these. */
  readonly tensors: number;
  readonly bytes: number;
  /** How many have bad numbers; the first of them are named. */
  readonly badTensors: number;
  readonly bad: readonly BadTensor[];
}

const MAX_BAD = 16;
const SCRATCH_BYTES = 64 * 1024;
/** Words that are looked at before what they have in common is judged. */
const RUN_WORDS = 1024;

/**
 * How a type has numbers that are none: all bits of the exponent are set. In one word of 32 bits, `(word & mask) + add` then has a
 * bit of `high` set, whatever the other numbers in the word are.
 */
interface FloatKind {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly mask: number;
  readonly add: number;
  readonly high: number;
  /** The bits of the fraction, in the part of a number that `mask` looks at: infinity has none of them. */
  readonly fraction: number;
}

const F32: FloatKind = { bytes: 4, mask: 0x7f80_0000, add: 0x0080_0000, high: 0x8000_0000 | 0, fraction: 0x007f_ffff };
const F64: FloatKind = { bytes: 8, mask: 0x7ff0_0000, add: 0x0010_0000, high: 0x8000_0000 | 0, fraction: 0x000f_ffff };
const HALVES = 0x8000_8000 | 0;
const QUARTERS = 0x8080_8080 | 0;
/** Types of one byte in which a single one is NaN, and none infinite. */
const SINGLE_NANS: Readonly<Record<string, number>> = { F8_E8M0: 0xff, F8_E4M3FNUZ: 0x80, F8_E5M2FNUZ: 0x80 };
/** It has no infinity, and one NaN: all bits set. */
const E4M3: FloatKind = { bytes: 1, mask: 0x7f7f_7f7f, add: 0x0101_0101, high: QUARTERS, fraction: 0x07 };

/** Source: safetensors, `tensor.rs`; OCP 8-bit floating point specification. */
const KINDS: Readonly<Record<string, FloatKind>> = {
  F64,
  F32,
  C64: F32,
  C128: F64,
  F16: { bytes: 2, mask: 0x7c00_7c00, add: 0x0400_0400, high: HALVES, fraction: 0x03ff },
  BF16: { bytes: 2, mask: 0x7f80_7f80, add: 0x0080_0080, high: HALVES, fraction: 0x007f },
  F8_E5M2: { bytes: 1, mask: 0x7c7c_7c7c, add: 0x0404_0404, high: QUARTERS, fraction: 0x03 },
  F8_E4M3: E4M3,
  F8_E4M3FN: E4M3,
};

/** Whether numbers of this type can be none. */
export function isFloat(dtype: string): boolean {
  return Object.hasOwn(KINDS, dtype) || Object.hasOwn(SINGLE_NANS, dtype);
}

interface OpenSpan extends FloatSpan {
  readonly kind: FloatKind;
  /** The byte that is NaN, for types where only one is. */
  readonly nan: number | undefined;
  nans: number;
  infinities: number;
}

/**
 * Finds NaN and infinity in the bytes of one file, which come in order and in blocks of any size. Little-endian, as all formats
 * are that are looked into, and all machines that this runs on.
 */
export class FloatScan {
  readonly #spans: readonly OpenSpan[];
  readonly #bad: OpenSpan[] = [];
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  /** The beginning of a number whose other bytes are in the next block. */
  readonly #carry = new Uint8Array(8);
  #carried = 0;
  #next = 0;
  #offset = 0;
  #bytes = 0;
  #tensors = 0;

  /** @param spans - those of other types are left out; of bytes that two tensors share, the first one has them */
  constructor(spans: readonly FloatSpan[]) {
    const sorted = spans.filter(({ dtype }) => isFloat(dtype)).sort((a, b) => a.start - b.start);
    this.#tensors = sorted.length;
    let end = 0;
    this.#spans = sorted.flatMap((span) => {
      const kind = KINDS[span.dtype] ?? E4M3;
      const nan = SINGLE_NANS[span.dtype];
      const start = Math.max(span.start, end);
      const bytes = span.start + span.bytes - start;
      if (bytes <= 0) return [];
      end = start + bytes;
      return [{ ...span, start, bytes, kind, nan, nans: 0, infinities: 0 }];
    });
  }

  update(block: Uint8Array): void {
    const blockEnd = this.#offset + block.length;
    for (
      let span = this.#spans[this.#next];
      span !== undefined && span.start < blockEnd;
      span = this.#spans[this.#next]
    ) {
      const from = Math.max(span.start, this.#offset);
      const to = Math.min(span.start + span.bytes, blockEnd);
      if (to > from) this.#look(span, block.subarray(from - this.#offset, to - this.#offset));
      if (span.start + span.bytes > blockEnd) break;
      this.#carried = 0;
      if (span.nans + span.infinities > 0) this.#bad.push(span);
      this.#next++;
    }
    this.#offset = blockEnd;
  }

  finish(): FloatFindings {
    const bad = this.#bad.slice(0, MAX_BAD).map(({ name, nans, infinities }) => ({ name, nans, infinities }));
    return { tensors: this.#tensors, bytes: this.#bytes, badTensors: this.#bad.length, bad };
  }

  /** Numbers may be cut by the ends of blocks, and may lie anywhere in memory. */
  #look(span: OpenSpan, bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (span.nan !== undefined) {
      for (const byte of bytes) if (byte === span.nan) span.nans++;
      return;
    }
    let at = 0;
    const size = span.kind.bytes;
    if (this.#carried > 0) {
      at = Math.min(size - this.#carried, bytes.length);
      this.#carry.set(bytes.subarray(0, at), this.#carried);
      this.#carried += at;
      if (this.#carried < size) return;
      this.#carried = 0;
      countBad(span, this.#carry, size);
    }
    const whole = bytes.length - ((bytes.length - at) % size);
    if ((bytes.byteOffset + at) % 4 === 0) scan(span, bytes.subarray(at, whole));
    else {
      for (let from = at; from < whole; from += SCRATCH_BYTES) {
        const part = bytes.subarray(from, Math.min(whole, from + SCRATCH_BYTES));
        this.#scratch.set(part);
        scan(span, this.#scratch.subarray(0, part.length));
      }
    }
    this.#carry.set(bytes.subarray(whole));
    this.#carried = bytes.length - whole;
  }
}

/** @param bytes - whole numbers, at a place in memory that is a multiple of 4 */
function scan(span: OpenSpan, bytes: Uint8Array): void {
  const { mask, add, high } = span.kind;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  // Of a number of 64 bits the second word has the exponent.
  const isWide = span.kind.bytes === 8;
  const [first, step] = isWide ? [1, 2] : [0, 1];
  for (let run = 0; run < words.length; run += RUN_WORDS) {
    const end = Math.min(words.length, run + RUN_WORDS);
    let found = 0;
    for (let i = run + first; i < end; i += step) found |= ((words[i] as number) & mask) + add;
    if ((found & high) !== 0) countBad(span, bytes.subarray(run * 4, end * 4), (end - run) * 4);
  }
  const rest = bytes.length % 4;
  if (rest > 0) countBad(span, bytes.subarray(bytes.length - rest), rest);
}

/** Looks at each number by itself. */
function countBad(span: OpenSpan, bytes: Uint8Array, length: number): void {
  const { bytes: size, mask, fraction } = span.kind;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let at = 0; at < length; at += size) {
    const bits = upperBits(view, at, size);
    const exponent = size === 1 ? mask & 0xff : size === 2 ? mask & 0xffff : mask;
    if ((bits & exponent) !== exponent) continue;
    const isInfinity = (bits & fraction) === 0 && (size !== 8 || view.getUint32(at, true) === 0);
    if (isInfinity) span.infinities++;
    else span.nans++;
  }
}

/** The part of a number that has its exponent. */
function upperBits(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at, true);
  return view.getUint32(size === 8 ? at + 4 : at, true);
}
