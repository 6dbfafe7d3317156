import { settingDeclarationSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_PATTERN_CHARS, MAX_RUNNER_ARG_CHARS } from '../limits.ts';
import { patternProblem } from './pattern.ts';

/** No argument and no variable of a program can hold a NUL. */
export const argSchema = z
  .string()
  .max(MAX_RUNNER_ARG_CHARS)
  .refine((text) => !text.includes('\0'), 'it has a NUL character');

/** A regular expression that is matched in time proportional to the text: no back references, nothing that looks around. */
export const patternSchema = z
  .string()
  .max(MAX_PATTERN_CHARS)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** A setting that clients may choose. Unknown fields are refused, since a bound with a typing error would be none. */
export const runnerSettingSchema = z.strictObject({
  ...settingDeclarationSchema.shape,
  pattern: patternSchema.optional().describe('A regular expression (RE2) that the whole text must match'),
  flag: argSchema
    .min(1)
    .optional()
    .describe('For a boolean: what `{set.KEY}` stands for when it is true; when it is false, the argument is left out'),
});
export type RunnerSetting = z.infer<typeof runnerSettingSchema>;
