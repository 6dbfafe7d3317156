const SINGLE = new Float32Array(1);
const BITS = new Uint32Array(SINGLE.buffer);

/** The number that 16 bits stand for. Source: IEEE 754, binary16. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest number of 16 bits; of two equally near ones the even. Too large ones are infinite. */
export function toFloat16(value: number): number {
  SINGLE[0] = value;
  const bits = BITS[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half way between the largest number and what would come next.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(SINGLE[0]) * 2 ** 24);
  return sign | roundShifted(magnitude - 0x38000000);
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Drops the 13 bits of the fraction that 16 bits have no room for. */
function roundShifted(magnitude: number): number {
  const kept = magnitude >>> 13;
  const rest = magnitude & 0x1fff;
  const isUp = rest > 0x1000 || (rest === 0x1000 && (kept & 1) === 1);
  return isUp ? kept + 1 : kept;
}
