// Jest looks up a global in a slow way, which would take seconds here.
const { ceil, cos, imul, log, PI, sqrt } = Math;

/** Numbers of a normal distribution as weights have them, the same for the same seed, in their bytes of bf16 or f32. */
export function makeWeights(bytes: number, width: 2 | 4, seed = 1): Buffer {
  const random = mulberry(seed);
  const floats = new Float32Array(ceil(bytes / width)).map(() => {
    const radius = sqrt(-2 * log(1 - random()));
    return 0.02 * radius * cos(2 * PI * random());
  });
  const f32 = Buffer.from(floats.buffer);
  if (width === 4) return f32.subarray(0, bytes);
  // The upper half of each.
  const bf16 = new Uint16Array(floats.buffer).filter((_, i) => i % 2 === 1);
  return Buffer.from(bf16.buffer, 0, bytes);
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
