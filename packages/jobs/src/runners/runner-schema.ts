import { isAbsolute } from 'node:path';
import { runnerNameSchema, settingKeySchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_RUNNER_ARGS } from '../limits.ts';
import { settingProblem } from './check-settings.ts';
import { placeholderProblem } from './placeholders.ts';
import { bytesSchema, durationSchema } from './quantities.ts';
import { argSchema, patternSchema, runnerSettingSchema } from './setting-schema.ts';

/** One argument, or a group that is left out when a setting in it has no value. */
const argsSchema = z.array(z.union([argSchema, z.array(argSchema).min(1).max(MAX_RUNNER_ARGS)])).max(MAX_RUNNER_ARGS);

const limitsSchema = z.strictObject({
  time: durationSchema.optional().describe('How long a job may run: `90`, in seconds, or `2h`'),
  memory: bytesSchema.optional().describe('What all of its processes may have in memory: bytes, or `8GB`'),
  cpu: z.number().positive().max(4096).optional().describe('Processors that it may use'),
  output: bytesSchema.optional().describe('What it may write: bytes, or `20GB`'),
});

/**
 * A program that clients may run on models: the JSON that `worker runners add` takes. Unknown fields are refused, since a limit
 * with a typing error would be no limit.
 */
export const runnerSchema = z
  .strictObject({
    name: runnerNameSchema.describe('What `--runner` takes: 1 to 64 of `a-z 0-9 _ -`'),
    description: z.string().max(1024).optional().describe('For people who choose a runner'),
    args: argsSchema.min(1).describe('The program and its arguments, with placeholders. Never a shell'),
    types: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/))
      .max(256)
      .optional()
      .describe('Types of models that it runs; any when left out'),
    inputs: z
      .array(z.string().regex(/^\.[^./\\]{1,32}(\.[^./\\]{1,32})?$/))
      .max(256)
      .optional()
      .describe('Extensions of data that it reads, such as `.mp4`; any when left out'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/), argSchema)
      .optional()
      .describe("Variables beside the few that every job gets from the worker's own environment"),
    cwd: z
      .string()
      .max(4096)
      .refine(isAbsolute, 'it must be an absolute path')
      .optional()
      .describe("The folder that it starts in, absolute; one of the job's own when left out"),
    limits: limitsSchema.optional().describe('What one job may use'),
    concurrency: z.number().int().min(1).max(1024).optional().describe('Jobs of this runner that run at once [1]'),
    set: z.record(settingKeySchema, runnerSettingSchema).optional().describe('What clients may choose, by name'),
    progress: patternSchema
      .optional()
      .describe('Finds progress in a line: a group `percent`, groups `done` and `total`, or one or two without names'),
    allowUnsafeModels: z
      .boolean()
      .optional()
      .describe('Whether it may run models that run code when they are loaded [no]'),
    validates: z
      .boolean()
      .optional()
      .describe(
        'Whether `client validate` runs it on this machine to see if a model works: exit code 0 means that it does. `track` runs it by its name only [no]',
      ),
    confine: z
      .boolean()
      .optional()
      .describe("Run it in bubblewrap: no network, and nothing to write but the job's own folder [no]"),
    resume: argsSchema
      .min(1)
      .optional()
      .describe('The program and arguments that resume an interrupted training: `{model}` is its folder'),
  })
  .superRefine((runner, context) => {
    for (const [key, setting] of Object.entries(runner.set ?? {})) {
      const problem = setting.default === undefined ? undefined : settingProblem(setting, setting.default);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: ['set', key, 'default'], message: problem });
    }
    for (const field of ['args', 'resume'] as const) {
      const args = runner[field];
      const problem = args === undefined ? undefined : placeholderProblem(args, Object.keys(runner.set ?? {}), field);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [field], message: problem });
    }
  });

/** A runner as it is declared, checked. Times are in seconds, sizes in bytes, and the schema takes it again. */
export type Runner = z.infer<typeof runnerSchema>;

/** The same as JSON Schema, for docs/track.md and for editors. */
export function runnerJsonSchema(): object {
  return z.toJSONSchema(runnerSchema, { io: 'input', unrepresentable: 'any' });
}
