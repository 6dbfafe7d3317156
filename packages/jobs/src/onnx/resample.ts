/** One channel of an image, line by line. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** What a line of samples makes of another: for each new sample the old ones that it is a mean of, with their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float32Array[];
}

/**
 * An image in another size: each new pixel is a mean of the old ones around its place, nearer ones counting more. Where the
 * image shrinks, all that it covers count, so that nothing flickers. Pillow calls it BILINEAR.
 */
export function resample(plane: Plane, width: number, height: number): Plane {
  const wide = plane.width === width ? plane : resampleLines(plane, width);
  return wide.height === height ? wide : resampleColumns(wide, height);
}

function resampleLines({ width: from, height, data }: Plane, width: number): Plane {
  const { first, weights } = tapsOf(from, width);
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const taps = weights[x] as Float32Array;
      const start = y * from + (first[x] as number);
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += (taps[i] as number) * (data[start + i] as number);
      result[y * width + x] = sum;
    }
  }
  return { width, height, data: result };
}

function resampleColumns({ width, height: from, data }: Plane, height: number): Plane {
  const { first, weights } = tapsOf(from, height);
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const taps = weights[y] as Float32Array;
    for (let i = 0; i < taps.length; i++) {
      const weight = taps[i] as number;
      const start = ((first[y] as number) + i) * width;
      for (let x = 0; x < width; x++)
        result[y * width + x] = (result[y * width + x] as number) + weight * (data[start + x] as number);
    }
  }
  return { width, height, data: result };
}

function tapsOf(from: number, to: number): Taps {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  const first = new Int32Array(to);
  const weights: Float32Array[] = [];
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(center - reach + 0.5));
    const end = Math.min(from, Math.floor(center + reach + 0.5));
    const taps = new Float32Array(end - start);
    for (let j = 0; j < taps.length; j++) taps[j] = Math.max(0, 1 - Math.abs((start + j + 0.5 - center) / reach));
    const sum = taps.reduce((total, weight) => total + weight, 0);
    first[i] = start;
    weights.push(taps.map((weight) => weight / sum));
  }
  return { first, weights };
}
