import { formatBytes, ModelRtcError, parseBytes } from '@model-rtc/protocol';
import type { SizeTier } from '@model-rtc/transfer';
import ms from 'ms';

/** Bytes of one of each unit of bits, as networks count them. */
const BIT_UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ['bit', 1 / 8],
  ['kbit', 1e3 / 8],
  ['mbit', 1e6 / 8],
  ['gbit', 1e9 / 8],
]);

/** Slower, the answers to pings would come too late behind a chunk's frames. */
const LEAST_BYTES_PER_SECOND = 16_000;
/** More than any network card carries. */
const MOST_BYTES_PER_SECOND = 1e12;
/** The rates that `parseRate` takes, for people. */
export const RATE_RANGE = `${formatBytes(LEAST_BYTES_PER_SECOND)}/s to ${formatBytes(MOST_BYTES_PER_SECOND)}/s`;

/**
 * A rate as people write it: `20MB`, `1.5MiB`, `50Mbit`, each also with `/s`, in any case. A number without a unit is
 * refused: one tool takes it as bytes, another as kilobytes, a third as bits.
 *
 * @param name - the option or setting that it was given for, for the error.
 * @returns whole bytes a second, at least 16,000.
 * @throws ModelRtcError `bad_argument`
 */
export function parseRate(text: string, name: string): number {
  const amount = text.trim().replace(/\/s$/i, '');
  const rate = parseBytes(amount) ?? parseBits(amount);
  if (rate >= LEAST_BYTES_PER_SECOND && rate <= MOST_BYTES_PER_SECOND) return rate;
  throw new ModelRtcError(
    'bad_argument',
    `"${text}" is not a rate. ${name} takes bytes per second, such as 20MB or 1.5MiB, or bits, such as 50Mbit; at least 16kB.`,
    { details: { name } },
  );
}

function parseBits(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([kmg]?bit)$/i.exec(text) ?? [];
  return Math.round(Number(number) * (BIT_UNIT_BYTES.get(unit.toLowerCase()) ?? Number.NaN));
}

/** Less would hold no data worth keeping. */
const LEAST_SIZE_BYTES = 1e6;
const MOST_SIZE_BYTES = 1e15;
/** The sizes that `parseSize` takes, for people. */
export const SIZE_RANGE = `${formatBytes(LEAST_SIZE_BYTES)} to ${formatBytes(MOST_SIZE_BYTES)}`;

/**
 * A size as people write it: `200GB`, `1.5TiB`, in any case.
 *
 * @param name - the option or setting that it was given for, for the error.
 * @returns whole bytes, at least 1,000,000.
 * @throws ModelRtcError `bad_argument`
 */
export function parseSize(text: string, name: string): number {
  const size = parseBytes(text) ?? Number.NaN;
  if (size >= LEAST_SIZE_BYTES && size <= MOST_SIZE_BYTES) return size;
  throw new ModelRtcError(
    'bad_argument',
    `"${text}" is not a size. ${name} takes bytes, such as 200GB or 1.5TiB; at least 1MB.`,
    { details: { name } },
  );
}

const MOST_COUNT = 1024;
/** The numbers that `parseCount` takes, for people. */
export const COUNT_RANGE = `1 to ${MOST_COUNT}`;

/**
 * A number of things: `4`.
 *
 * @param name - the setting that it was given for, for the error.
 * @throws ModelRtcError `bad_argument`
 */
export function parseCount(text: string, name: string): number {
  const count = /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_COUNT) return count;
  throw new ModelRtcError('bad_argument', `"${text}" is not a number of ${name}. Pass ${COUNT_RANGE}.`, {
    details: { name },
  });
}

const LONGEST_MS = ms('100y');

export interface DurationOptions {
  /** Whether zero is allowed. */
  readonly zero?: boolean | undefined;
  /** A word that the option also takes, for the error. */
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
  const other = options.word === undefined ? '' : `, or ${options.word}`;
  throw new ModelRtcError(
    'bad_argument',
    `"${text}" is not a length of time. Pass ${flag} 30m, 12h, 7d or 1y${other}.`,
    {
      details: { flag },
    },
  );
}

/** `10GB:20MB`: models of 10 GB and more at 20 MB/s at most. @throws ModelRtcError `bad_argument` */
export function parseTiers(text: string, name: string): SizeTier[] {
  return text.split(',').map((tier) => {
    const [size = '', rate = '', ...more] = tier.split(':');
    if (more.length > 0 || rate === '') {
      const sentence = `"${tier.trim()}" is not a size with a rate. ${name} takes SIZE:RATE, separated by commas, such as 1GB:50MB,10GB:20MB.`;
      throw new ModelRtcError('bad_argument', sentence, { details: { name } });
    }
    return { fromBytes: parseSize(size.trim(), name), bytesPerSecond: parseRate(rate, name) };
  });
}

/** One of two words. @throws ModelRtcError `bad_argument` */
export function parseChoice(text: string, name: string, words: readonly [string, string]): readonly string[] {
  const word = text.trim();
  if (words.includes(word)) return [word];
  const sentence = `${JSON.stringify(text)} is not a value of ${name}. Pass ${words.join(' or ')}.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { name } });
}

/** @throws ModelRtcError `bad_argument` */
export function parseFamilies(text: string, name: string): readonly string[] {
  const families = text.split(',').map((family) => family.trim());
  if (families.every((family) => /^[A-Za-z0-9][\w.-]{0,63}$/.test(family))) return families;
  const sentence = `${JSON.stringify(text)} is not a list of families. ${name} takes names separated by commas, such as llama,qwen2 or default,my_model.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { name } });
}
