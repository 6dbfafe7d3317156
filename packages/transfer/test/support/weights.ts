/** Numbers of a normal distribution as weights have them, the same for the same seed, in their bytes of bf16 or f32. */
export function makeWeights(bytes: number, width: 2 | 4, seed = 1): Buffer {
  const random = mulberry(seed);
  const floats = new Float32Array(Math.ceil(bytes / width)).map(() => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return 0.02 * radius * Math.cos(2 * Math.PI * random());
  });
  const f32 = Buffer.from(floats.buffer);
  if (width === 4) return f32.subarray(0, bytes);
  const bf16 = Buffer.alloc(floats.length * 2);
  for (let i = 0; i < floats.length; i++) f32.copy(bf16, 2 * i, 4 * i + 2, 4 * i + 4);
  return bf16.subarray(0, bytes);
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
