import { ModelRtcError } from '@model-rtc/protocol';
import ms from 'ms';

const LONGEST_MS = ms('100y');

export interface DurationOptions {
  /** Whether no time at all makes sense. */
  readonly zero?: boolean | undefined;
  /** A word that the option takes as well, for the error. */
  readonly word?: string | undefined;
}

/**
 * A length of time as people write it: `30m`, `12h`, `30d`, `1y`.
 *
 * @param flag - the option that it was given with, for the error.
 * @returns milliseconds, more than 0 unless zero is allowed.
 * @throws ModelRtcError `bad_argument`
 */
export function parseDuration(text: string, flag: string, options: DurationOptions = {}): number {
  const duration = /^\d+(\.\d+)?\s*[a-z]+$/i.test(text.trim()) ? ms(text.trim() as ms.StringValue) : undefined;
  if (duration !== undefined && duration <= LONGEST_MS && (duration > 0 || options.zero === true)) return duration;
  const forms = options.word === undefined ? '30m, 12h, 7d or 1y' : `30m, 12h, 7d, 1y or ${options.word}`;
  throw new ModelRtcError('bad_argument', `"${text}" is no length of time. ${flag} takes ${forms}.`, {
    details: { flag },
  });
}
