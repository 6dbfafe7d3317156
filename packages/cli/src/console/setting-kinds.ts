import { formatBytes } from '@model-rtc/protocol';
import ms from 'ms';
import { formatRate } from './format.ts';
import {
  COUNT_RANGE,
  parseChoice,
  parseCount,
  parseDuration,
  parseFamilies,
  parseRate,
  parseSize,
  parseTiers,
  RATE_RANGE,
  SIZE_RANGE,
} from './quantities.ts';

/** What a setting is measured in, as `--json` names it. */
export type Unit = 'bytesPerSecond' | 'bytes' | 'ms' | 'count' | 'list' | 'word';

export interface SettingSchema {
  readonly describe: string;
  readonly type: string;
  readonly range: string;
  /** What applies when it is not set. */
  readonly default: string;
  readonly unit: Unit;
  /** @throws ModelRtcError `bad_argument` for what is not a value of the setting */
  parse(text: string, name: string): number | readonly string[];
  /** The parsed value, for people. */
  format(amount: number): string;
}

export const RATE = {
  type: 'rate, such as `20MB` or `50Mbit`',
  range: RATE_RANGE,
  default: 'no limit',
  unit: 'bytesPerSecond',
  parse: parseRate,
  format: formatRate,
} as const;
export const SIZE = {
  type: 'size, such as `200GB`',
  range: SIZE_RANGE,
  unit: 'bytes',
  parse: parseSize,
  format: formatBytes,
} as const;
export const AGE = {
  type: 'length of time, such as `30d`',
  range: 'up to 100 years',
  unit: 'ms',
  parse: (text: string, name: string) => parseDuration(text, name),
  format: (amount: number) => ms(amount, { long: true }),
} as const;

export const COUNT = {
  type: 'whole number',
  range: COUNT_RANGE,
  unit: 'count',
  parse: parseCount,
  format: String,
} as const;

/** The word that stands for the built-in list in a list of a person's own. */
export const BUILT_IN = 'default';
export const FAMILIES = {
  type: 'list, such as `default,my_model`',
  range: 'names separated by commas; `default` stands for the built-in list',
  default: 'well-known families; a refusal lists them',
  unit: 'list',
  parse: parseFamilies,
  format: String,
} as const;

export const TIERS = {
  type: 'list, such as `10GB:20MB`',
  range: 'sizes of models, each with a rate',
  default: 'no limit',
  unit: 'list',
  parse: (text: string, name: string) => {
    parseTiers(text, name);
    return text.split(',').map((tier) => tier.trim());
  },
  format: String,
} as const;

/** One of a few words. */
export function choice(first: string, second: string) {
  return {
    type: 'word',
    range: `\`${first}\` or \`${second}\``,
    unit: 'word',
    parse: (text: string, name: string) => parseChoice(text, name, [first, second]),
    format: String,
  } as const;
}
