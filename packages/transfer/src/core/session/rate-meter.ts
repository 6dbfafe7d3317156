import { RATE_WINDOW_MS } from '../limits.ts';

/** The time between samples: nobody would see finer ones. */
const SAMPLE_MS = 250;

/**
 * The rates of connections as parts of the whole rate. Each is measured over another time, since connections come and go, so
 * that their sum is another one; in proportion they add up.
 */
export function inProportion<T extends { readonly bytesPerSecond: number }>(parts: readonly T[], whole: number): T[] {
  const sum = parts.reduce((total, { bytesPerSecond }) => total + bytesPerSecond, 0);
  return parts.map((part) => ({
    ...part,
    bytesPerSecond: sum === 0 ? 0 : Math.floor((whole * part.bytesPerSecond) / sum),
  }));
}

/** Bytes a second over the last few seconds. */
export class RateMeter {
  readonly #samples: { atMs: number; bytes: number }[];

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, bytes: 0 }];
  }

  /** @param bytes - the total since the start */
  bytesPerSecond(bytes: number, nowMs: number): number {
    const samples = this.#samples;
    const last = samples.at(-1);
    if (last !== undefined && nowMs - last.atMs >= SAMPLE_MS) samples.push({ atMs: nowMs, bytes });
    // Keep one sample from before the window, so that the whole window is covered.
    while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= RATE_WINDOW_MS) samples.shift();
    const [first] = samples;
    if (first === undefined || nowMs <= first.atMs) return 0;
    return Math.max(0, Math.round(((bytes - first.bytes) * 1000) / (nowMs - first.atMs)));
  }
}
