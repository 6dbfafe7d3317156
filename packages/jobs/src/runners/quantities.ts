import ms from 'ms';
import * as z from 'zod';

const UNIT_BYTES: Readonly<Record<string, number>> = {
  ...{ b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4 },
};

/** Bytes: a number, or a text such as `8GB` or `512MiB`. Gives a number, which it takes again. */
export const bytesSchema = z
  .union([z.number(), z.string().max(64)])
  .transform((value) => (typeof value === 'number' ? value : parseBytes(value)))
  .refine((bytes) => Number.isSafeInteger(bytes) && bytes > 0, 'expected a size, such as 8GB or 512MiB');

/** Seconds: a number, or a text such as `90s`, `30m` or `2h`. Gives a number, which it takes again. */
export const durationSchema = z
  .union([z.number(), z.string().max(64)])
  .transform((value) => (typeof value === 'number' ? value : parseSeconds(value)))
  .refine((seconds) => seconds > 0 && seconds <= MAX_SECONDS, 'expected a time, such as 90s, 30m or 2h');

/** A timer's longest delay is 2^31 milliseconds, nearly 25 days. Longer jobs are better without a limit. */
const MAX_SECONDS = 24 * 24 * 60 * 60;

function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  return Math.round(Number(number) * (UNIT_BYTES[unit.toLowerCase()] ?? Number.NaN));
}

function parseSeconds(text: string): number {
  if (!/^\d+(\.\d+)?\s*[a-z]+$/i.test(text.trim())) return Number.NaN;
  return (ms(text.trim() as ms.StringValue) ?? Number.NaN) / 1000;
}
