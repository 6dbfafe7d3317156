import type { CheckResult, FloatFindings } from '@model-rtc/formats/validation';
import { formatBytes } from '@model-rtc/protocol';
import type { FileProblem } from '../files/types.ts';
import type { VerifiedModel } from '../verify/types.ts';

const MAX_NAMED = 4;

/** Some of many, with how many more there are. */
export function listed(items: readonly string[]): string {
  const more = items.length > MAX_NAMED ? `; and ${items.length - MAX_NAMED} more` : '';
  return `${items.slice(0, MAX_NAMED).join('; ')}${more}`;
}

export function listedProblems(problems: readonly FileProblem[]): string {
  return `${listed(problems.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`)))}.`;
}

/**
 * @param known - files whose problems are told already
 * @param hashed - when the bytes were verified: `before` by whoever fetched them
 */
export function checksumsResult(
  { problems, settled }: VerifiedModel,
  known: ReadonlySet<string>,
  hashed: 'now' | 'before' | 'never',
): CheckResult {
  const wrong = problems.filter(({ path }) => !known.has(path));
  if (wrong.length > 0) return { check: 'checksums', outcome: 'failed', detail: listedProblems(wrong) };
  if (hashed === 'never') {
    const detail = 'With --quick no file is read whole; no file was written to since it was hashed.';
    return { check: 'checksums', outcome: 'skipped', detail };
  }
  const notes = settled.length === 0 ? '' : ` ${settled.join('; ')}.`;
  const others = known.size > 0 ? ' of the other files' : '';
  const detail =
    hashed === 'now' ? `Every byte${others} has the right SHA-256.${notes}` : 'Every byte was verified as it came.';
  return { check: 'checksums', outcome: 'passed', detail };
}

/** What the numbers of all files are. NaN is never meant; some models have an infinity in a mask. */
export function numbersResult(found: readonly FloatFindings[], quick: boolean): CheckResult {
  const sum = (of: (one: FloatFindings) => number) => found.reduce((total, one) => total + of(one), 0);
  const tensors = sum((one) => one.tensors);
  if (tensors === 0) {
    const detail = 'The weights have no floating-point numbers that can be looked at.';
    return { check: 'numbers', outcome: 'skipped', detail };
  }
  const bad = found.flatMap((one) => one.bad);
  const how = quick ? 'in samples of' : 'in';
  if (bad.length === 0) {
    const detail = `No NaN and no infinity ${how} ${tensors} tensor${tensors === 1 ? '' : 's'} (${formatBytes(sum((one) => one.bytes))}).`;
    return { check: 'numbers', outcome: 'passed', detail };
  }
  const named = bad.slice(0, MAX_NAMED).map(({ name, nans, infinities }) => {
    const counts = [...(nans > 0 ? [`${nans} NaN`] : []), ...(infinities > 0 ? [`${infinities} infinite`] : [])];
    return `${name} has ${counts.join(' and ')}`;
  });
  const count = sum((one) => one.badTensors);
  const more = count > named.length ? `; ${count} of ${tensors} tensors in all` : '';
  const outcome = bad.some(({ nans }) => nans > 0) ? 'failed' : 'warning';
  return { check: 'numbers', outcome, detail: `${named.join('; ')}${more}.` };
}
