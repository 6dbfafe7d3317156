import { ModelRtcError } from '@model-rtc/protocol';

/** The first of these options that was given, as it is written: `--follow-links`. */
export function firstGiven<Options>(options: Options, names: readonly (keyof Options & string)[]): string | undefined {
  const given = names.find((name) => {
    const value: unknown = options[name];
    if (value instanceof Set) return value.size > 0;
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
  return given && `--${given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @throws ModelRtcError `bad_argument` when one of these options was given, with a sentence about it */
export function refuseGiven<Options>(
  options: Options,
  names: readonly (keyof Options & string)[],
  sentence: (option: string) => string,
): void {
  const option = firstGiven(options, names);
  if (option !== undefined) throw new ModelRtcError('bad_argument', sentence(option), { details: { option } });
}
