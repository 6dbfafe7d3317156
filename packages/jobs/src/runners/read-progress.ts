import { RE2JS } from 're2js';
import { MAX_PROGRESS_LINE_CHARS } from '../limits.ts';

export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** The part of the line that says so. */
  readonly text: string;
}

/** Longer than any number of frames. */
const MAX_TEXT_CHARS = 256;

/**
 * Reads progress from lines by a runner's pattern: a group `percent`, groups `done` and `total`, or groups without names. One group
 * without a name is a percentage; two are done and total.
 * @returns undefined for a line that says nothing of it
 */
export function progressReader(pattern: string): (line: string) => Progress | undefined {
  const expression = RE2JS.compile(pattern);
  const names = Object.keys(expression.namedGroups());
  const groups = names.includes('percent') ? ['percent'] : names.includes('total') ? ['done', 'total'] : [1, 2];
  const wanted = groups.slice(0, Math.max(expression.groupCount(), 0));
  return (line) => {
    const matcher = expression.matcher(line.slice(0, MAX_PROGRESS_LINE_CHARS));
    if (!matcher.find()) return undefined;
    const [first, second] = wanted.map((group) => toNumber(matcher.group(group)));
    const fraction = second === undefined ? (first ?? Number.NaN) / 100 : (first ?? Number.NaN) / second;
    if (!Number.isFinite(fraction)) return undefined;
    const text = (matcher.group() ?? '').trim().slice(0, MAX_TEXT_CHARS);
    return { fraction: Math.min(Math.max(fraction, 0), 1), text };
  };
}

function toNumber(text: string | null): number | undefined {
  return text === null || text === '' ? undefined : Number(text.replaceAll(',', ''));
}
