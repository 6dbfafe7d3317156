/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values at which lengths, counts and offsets go wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
const MOST_CHANGES = 6;

type Change = (bytes: Uint8Array, pick: Pick) => Uint8Array;

/** Whole numbers from 0 up to, and without, `limit`. */
type Pick = (limit: number) => number;

const CHANGES: readonly Change[] = [
  (bytes, pick) => withByte(bytes, pick(bytes.length), (byte) => byte ^ (1 << pick(8))),
  (bytes, pick) => withByte(bytes, pick(bytes.length), () => EDGES[pick(5)] as number),
  (bytes, pick) => withByte(bytes, pick(bytes.length), () => pick(256)),
  (bytes, pick) => withU32(bytes, pick(bytes.length), EDGES[pick(EDGES.length)] as number, pick(2) === 0),
  (bytes, pick) => bytes.subarray(0, pick(bytes.length)),
  (bytes, pick) => joined(bytes.subarray(0, pick(bytes.length)), bytes.subarray(pick(bytes.length))),
  (bytes, pick) => {
    const at = pick(bytes.length);
    const run = bytes.subarray(at, at + 1 + pick(64));
    return joined(bytes.subarray(0, at), ...Array.from({ length: 1 + pick(16) }, () => run), bytes.subarray(at));
  },
  (bytes, pick) => {
    const at = pick(bytes.length + 1);
    return joined(
      bytes.subarray(0, at),
      Uint8Array.from({ length: 1 + pick(32) }, () => pick(256)),
      bytes.subarray(at),
    );
  },
];

/** One of the samples, changed in a few places, or joined with a part of another. */
export function mutate(samples: readonly Uint8Array[], random: () => number): Uint8Array {
  const pick: Pick = (limit) => Math.floor(random() * Math.max(1, limit));
  let bytes: Uint8Array = (samples[pick(samples.length)] ?? new Uint8Array()).slice();
  if (pick(8) === 0) {
    const other = samples[pick(samples.length)] ?? bytes;
    bytes = joined(bytes.subarray(0, pick(bytes.length)), other.subarray(pick(other.length)));
  }
  for (let changes = 1 + pick(MOST_CHANGES); changes > 0; changes--) {
    bytes = (CHANGES[pick(CHANGES.length)] as Change)(bytes, pick).slice();
  }
  return bytes;
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  if (at < bytes.length) bytes[at] = change(bytes[at] as number);
  return bytes;
}

function withU32(bytes: Uint8Array, at: number, value: number, isLittleEndian: boolean): Uint8Array {
  if (at + 4 <= bytes.length) {
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(at, value, isLittleEndian);
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
