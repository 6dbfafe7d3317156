/** The length of an element: 2 for bf16 and f16, 4 for f32. */
export type ElementBytes = 2 | 4;

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * Groups the bytes of the elements by their place: all first bytes, then all second ones, and so on; an incomplete element at
 * the end stays as it is. This brings the signs and exponents of weights together, which are much alike.
 *
 * @param into - as long as `bytes`, and sharing no memory with them
 */
export function splitPlanes(bytes: Uint8Array, width: ElementBytes, into: Uint8Array): void {
  const count = Math.floor(bytes.length / width);
  if (wordsFit(count, bytes, into)) {
    if (width === 2) splitPairs(words(bytes), words(into), count / 4);
    else splitQuads(words(bytes), words(into), count / 4);
  } else {
    for (let plane = 0; plane < width; plane++) {
      const start = plane * count;
      for (let i = 0, at = plane; i < count; i++, at += width) into[start + i] = bytes[at] as number;
    }
  }
  into.set(bytes.subarray(count * width), count * width);
}

/** Undoes `splitPlanes`. */
export function joinPlanes(bytes: Uint8Array, width: ElementBytes, into: Uint8Array): void {
  const count = Math.floor(bytes.length / width);
  if (wordsFit(count, bytes, into)) {
    if (width === 2) joinPairs(words(bytes), words(into), count / 4);
    else joinQuads(words(bytes), words(into), count / 4);
  } else {
    for (let plane = 0; plane < width; plane++) {
      const start = plane * count;
      for (let i = 0, at = plane; i < count; i++, at += width) into[at] = bytes[start + i] as number;
    }
  }
  into.set(bytes.subarray(count * width), count * width);
}

/** The shortest length of the bytes when each plane is coded byte by byte, without looking for repeats. */
export function planesEntropyBytes(bytes: Uint8Array, width: ElementBytes): number {
  const count = Math.floor(bytes.length / width);
  const counts = new Uint32Array(256 * width);
  for (let i = 0, plane = 0; i < count * width; i++) {
    const place = plane * 256 + (bytes[i] as number);
    counts[place] = (counts[place] as number) + 1;
    plane = plane + 1 === width ? 0 : plane + 1;
  }
  let bits = 0;
  for (const seen of counts) if (seen > 0) bits += seen * Math.log2(count / seen);
  return Math.ceil(bits / 8) + bytes.length - count * width;
}

/** Whether four bytes can be moved at once, which takes less than half the time; nearly all chunks of tensors allow it. */
function wordsFit(count: number, ...both: Uint8Array[]): boolean {
  return isLittleEndian && count % 4 === 0 && both.every(({ byteOffset }) => byteOffset % 4 === 0);
}

function words({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, Math.floor(length / 4));
}

/** @param plane - the number of words in one plane */
function splitPairs(from: Uint32Array, into: Uint32Array, plane: number): void {
  for (let i = 0, at = 0; i < plane; i++, at += 2) {
    const a = from[at] as number;
    const b = from[at + 1] as number;
    into[i] = (a & 0xff) | ((a >>> 8) & 0xff00) | ((b & 0xff) << 16) | ((b << 8) & 0xff000000);
    into[plane + i] = ((a >>> 8) & 0xff) | ((a >>> 16) & 0xff00) | ((b << 8) & 0xff0000) | (b & 0xff000000);
  }
}

function joinPairs(from: Uint32Array, into: Uint32Array, plane: number): void {
  for (let i = 0, at = 0; i < plane; i++, at += 2) {
    const low = from[i] as number;
    const high = from[plane + i] as number;
    into[at] = (low & 0xff) | ((high & 0xff) << 8) | ((low & 0xff00) << 8) | ((high & 0xff00) << 16);
    into[at + 1] = ((low >>> 16) & 0xff) | ((high >>> 8) & 0xff00) | ((low >>> 8) & 0xff0000) | (high & 0xff000000);
  }
}

function splitQuads(from: Uint32Array, into: Uint32Array, plane: number): void {
  for (let i = 0, at = 0; i < plane; i++, at += 4) {
    const a = from[at] as number;
    const b = from[at + 1] as number;
    const c = from[at + 2] as number;
    const d = from[at + 3] as number;
    turn(into, i, plane, a, b, c, d);
  }
}

function joinQuads(from: Uint32Array, into: Uint32Array, plane: number): void {
  for (let i = 0, at = 0; i < plane; i++, at += 4) {
    const a = from[i] as number;
    const b = from[plane + i] as number;
    const c = from[2 * plane + i] as number;
    const d = from[3 * plane + i] as number;
    turn(into, at, 1, a, b, c, d);
  }
}

/** Transposes four words as a square of bytes, and writes the results a step apart. */
function turn(into: Uint32Array, at: number, step: number, a: number, b: number, c: number, d: number): void {
  into[at] = (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24);
  into[at + step] = ((a >>> 8) & 0xff) | (b & 0xff00) | ((c << 8) & 0xff0000) | ((d << 16) & 0xff000000);
  into[at + 2 * step] = ((a >>> 16) & 0xff) | ((b >>> 8) & 0xff00) | (c & 0xff0000) | ((d << 8) & 0xff000000);
  into[at + 3 * step] = (a >>> 24) | ((b >>> 16) & 0xff00) | ((c >>> 8) & 0xff0000) | (d & 0xff000000);
}
