import { parseBytes } from '@model-rtc/protocol';
import ms from 'ms';
import * as z from 'zod';

/** Bytes: a number, or a text such as `8GB` or `512MiB`. Gives a number, which it takes again. */
export const bytesSchema = z
  .union([z.number(), z.string().max(64)])
  .transform((value) => (typeof value === 'number' ? value : (parseBytes(value) ?? Number.NaN)))
  .refine((bytes) => Number.isSafeInteger(bytes) && bytes > 0, 'expected a size, such as 8GB or 512MiB');

/** Seconds: a number, or a text such as `90s`, `30m` or `2h`. Gives a number, which it takes again. */
export const durationSchema = z
  .union([z.number(), z.string().max(64)])
  .transform((value) => (typeof value === 'number' ? value : parseSeconds(value)))
  .refine((seconds) => seconds > 0 && seconds <= MAX_SECONDS, 'expected a time, such as 90s, 30m or 2h');

/** A timer's longest delay is 2^31 milliseconds, nearly 25 days. Longer jobs are better without a limit. */
const MAX_SECONDS = 24 * 24 * 60 * 60;

function parseSeconds(text: string): number {
  if (!/^\d+(\.\d+)?\s*[a-z]+$/i.test(text.trim())) return Number.NaN;
  return (ms(text.trim() as ms.StringValue) ?? Number.NaN) / 1000;
}
