import { formatBytes } from './format.ts';

const STEPS = [1000, 1e6, 1e9, 1e12, 1e15] as const;
const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A part of a whole in the unit of the whole: `1.3 of 14.0 GB`. A part too small for that is told in its own. */
export function shareText(bytes: number, totalBytes: number): string {
  const power = STEPS.findLastIndex((step) => totalBytes >= step);
  const [step, unit] = [STEPS[power], UNITS[power]];
  if (step === undefined || (bytes > 0 && bytes < step / 10))
    return `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  // Cut off, as all sizes are, so that what is not all does not look so.
  const tenths = (part: number): string => (Math.floor(part / (step / 10)) / 10).toFixed(1);
  return `${tenths(bytes)} of ${tenths(totalBytes)} ${unit}`;
}
