import { PRIORITIES } from '@model-rtc/transfer';
import * as z from 'zod';
import { MAX_PREFETCH_DONE } from '../../core/limits.ts';
import type { MeshModelHolders } from '../../types.ts';
import { matchesPattern } from './pattern.ts';
import { DAYS, WINDOW } from './schedule.ts';

const MAX_PATTERN_CHARS = 256;
/** Models that a rule fetches in its life when it does not say: more than people expect is more than they want. */
export const DEFAULT_MAX_MODELS = 100;
export const MOST_MAX_MODELS = MAX_PREFETCH_DONE;

const text = z.string().min(1).max(MAX_PATTERN_CHARS);
const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Which models a machine fetches before anybody asks, and when. Every field that is there must fit. */
export const ruleSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{4}$/),
  type: text.optional(),
  tag: text.optional(),
  /** A name or alias, with `*` and `?`. */
  name: text.optional(),
  minBytes: bytes.optional(),
  maxBytes: bytes.optional(),
  /** Local time, such as `22:00-06:00`; always when left out. */
  between: z.string().regex(WINDOW).optional(),
  /** The days on which that begins. */
  days: z.array(z.enum(DAYS)).min(1).max(7).optional(),
  priority: z.enum(PRIORITIES).default('low'),
  maxModels: z.number().int().min(1).max(MOST_MAX_MODELS).default(DEFAULT_MAX_MODELS),
  addedAt: z.iso.datetime(),
});
export type PrefetchRule = z.infer<typeof ruleSchema>;

/** Whether a rule wants a model, by what any of its holders says of it. */
export function wantsModel(rule: PrefetchRule, { model, names, holders }: MeshModelHolders): boolean {
  const { type, tag, name, minBytes = 0, maxBytes = Number.POSITIVE_INFINITY } = rule;
  const { sizeBytes } = model;
  return (
    sizeBytes >= minBytes &&
    sizeBytes <= maxBytes &&
    (type === undefined || model.type.toLowerCase() === type.toLowerCase()) &&
    (tag === undefined || holders.some((holder) => holder.model.tags.includes(tag))) &&
    (name === undefined || names.some((one) => matchesPattern(name, one)))
  );
}
