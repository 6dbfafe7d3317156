import * as z from 'zod';
import { storedAliasProblem } from './alias.ts';
import { digestSchema } from './digest.ts';
import { modelIdSchema } from './entry.ts';
import { MAX_JOB_DATA, MAX_JOB_MODELS, MAX_JOB_SETTINGS, MAX_LOG_LINE_CHARS } from './limits.ts';
import { errorDataSchema } from './messages.ts';
import { modelPathProblem } from './model-path.ts';

const text = z.string().max(4096);
const timeSchema = z.iso.datetime();
const count = z.number().int().min(0);

/**
 * What a job is doing:
 * - `queued`: waits for its turn
 * - `preparing`: its folder is made, its inputs are put there
 * - `running`: the runner's process is there
 * - `finishing`: the process has ended, its results are hashed
 * - `completed`: the runner's exit code was 0; `failed`: it was not, or the job could not be run; `cancelled`: somebody ended it
 * - `lost`: the worker ended while the job ran, so that nobody knows how it went
 */
export const JOB_STATES = [
  'queued',
  'preparing',
  'running',
  'finishing',
  'completed',
  'failed',
  'cancelled',
  'lost',
] as const;
export type JobState = (typeof JOB_STATES)[number];

const ENDED: ReadonlySet<JobState> = new Set(['completed', 'failed', 'cancelled', 'lost']);

/** Whether nothing happens to a job in this state any more. */
export function isEnded(state: JobState): boolean {
  return ENDED.has(state);
}

/** Lower-case letters and digits: it is a folder's name at the worker, and people type it. */
export const jobIdSchema = z.string().regex(/^[a-z0-9]{8,32}$/, 'a job id is 8 to 32 lower-case letters and digits');

/** A runner's name: it stands in commands, and in a file's name. */
export const runnerNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a name is 1 to 64 of a-z, 0-9, _ and -');

/** What a setting of a runner may be called; its placeholder is `{set.KEY}`. */
export const settingKeySchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a setting is 1 to 64 of A-Z, a-z, 0-9, _ and -, starting with a letter');

/** A setting's value: nothing of it is ever read by a shell. */
export const settingValueSchema = z.union([text, z.number(), z.boolean()]);
export type SettingValue = z.infer<typeof settingValueSchema>;

/** The settings of one job. A text is read as the type that the runner declares, so that clients need not know it. */
export const settingsSchema = z
  .record(settingKeySchema, settingValueSchema)
  .refine(
    (settings) => Object.keys(settings).length <= MAX_JOB_SETTINGS,
    `a job has at most ${MAX_JOB_SETTINGS} settings`,
  );
export type Settings = z.infer<typeof settingsSchema>;

export const SETTING_TYPES = ['integer', 'number', 'string', 'boolean'] as const;

/** What a runner's owner lets clients choose. */
export const settingDeclarationSchema = z.object({
  type: z.enum(SETTING_TYPES).describe('What it is'),
  min: z.number().optional().describe('The least number; of a text, its fewest characters'),
  max: z.number().optional().describe('The largest number; of a text, its most characters'),
  choices: z.array(settingValueSchema).min(1).max(256).optional().describe('The only values that it takes'),
  pattern: z.string().max(1024).optional().describe('A regular expression that the whole text must match'),
  default: settingValueSchema.optional().describe('Its value when a client sets none'),
  description: z.string().max(1024).optional().describe('For people who choose it'),
});
export type SettingDeclaration = z.infer<typeof settingDeclarationSchema>;

/** A runner as clients see it: what it takes, never what it starts. */
export const runnerSummarySchema = z.object({
  name: runnerNameSchema,
  description: z.string().max(1024).optional(),
  /** Where it comes from: the worker's owner declared it, or it was found on the machine. */
  origin: z.enum(['owner', 'preset']),
  /** Types of models that it runs; empty for any. */
  types: z.array(z.string().max(64)).max(256),
  /** Extensions of the data that it reads, such as `.mp4`; empty for any. */
  inputs: z.array(z.string().max(64)).max(256),
  set: z.record(settingKeySchema, settingDeclarationSchema),
  /** Whether it can resume an interrupted training. */
  resumes: z.boolean(),
  allowsUnsafeModels: z.boolean(),
  usable: z.boolean(),
  /** Why it is not usable, as a sentence. */
  reason: text.optional(),
});
export type RunnerSummary = z.infer<typeof runnerSummarySchema>;

/** One name that can stand in any folder. */
const fileNameSchema = z
  .string()
  .refine((name) => !name.includes('/') && modelPathProblem(name) === undefined, 'it is no plain name of a file');

/** Files that a job reads: one file, or a folder with all that is in it. */
export const jobDataSchema = z.object({
  /** Of the files, as a model has one. */
  digest: digestSchema,
  /** What the file or folder is called at the client, and under `{input}`. */
  name: fileNameSchema,
  form: z.enum(['file', 'folder']),
});
export type JobData = z.infer<typeof jobDataSchema>;

/** How a runner's process ended. */
const exitSchema = z.object({ code: z.number().int().optional(), signal: z.string().max(32).optional() });

const progressFields = {
  /** From 0 to 1. */
  fraction: z.number().min(0).max(1).optional(),
  /** What the runner printed about it. */
  text: z.string().max(256).optional(),
};
const usageFields = {
  /** Of all its processes together. */
  cpuSeconds: z.number().min(0).optional(),
  memoryBytes: count.optional(),
  gpuMemoryBytes: count.optional(),
};

/** What the runner wrote, as far as it is kept. */
export const jobResultsSchema = z.object({
  /** Of all files, as a model has one. */
  digest: digestSchema,
  fileCount: count,
  bytes: count,
  /** A single file, or a folder with all files. */
  form: z.enum(['file', 'folder']),
  /** When the worker deletes it. */
  expiresAt: timeSchema.optional(),
});

/** Results are called by the names of models, so that a hostile worker must not choose a path by one. */
const aliasTextSchema = z.string().refine((text) => storedAliasProblem(text) === undefined, 'it is no alias');

export const jobSchema = z.object({
  id: jobIdSchema,
  state: z.enum(JOB_STATES),
  runner: runnerNameSchema,
  models: z
    .array(
      z.object({
        digest: digestSchema,
        id: modelIdSchema,
        alias: aliasTextSchema.optional(),
        checkpoint: text.optional(),
      }),
    )
    .max(MAX_JOB_MODELS),
  data: z.array(jobDataSchema).max(MAX_JOB_DATA),
  /** Those that the client set and the defaults of the others. */
  settings: settingsSchema,
  /** The training that it resumes. */
  resume: text.optional(),
  /** Its place in the queue, from 1 on. */
  position: z.number().int().min(1).optional(),
  createdAt: timeSchema,
  startedAt: timeSchema.optional(),
  endedAt: timeSchema.optional(),
  progress: z.object(progressFields).optional(),
  usage: z.object(usageFields).optional(),
  exit: exitSchema.optional(),
  /** Why it failed, was cancelled or lost. */
  error: errorDataSchema.optional(),
  results: jobResultsSchema.optional(),
  /** The number of its last event so far; 0 when there is none. */
  lastEvent: count,
});
export type Job = z.infer<typeof jobSchema>;

const eventFields = {
  /** From 1 on, without gaps. */
  number: z.number().int().min(1),
  at: timeSchema,
};

export const LOG_STREAMS = ['stdout', 'stderr', 'worker'] as const;

export const jobEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...{ type: z.literal('state'), ...eventFields, state: z.enum(JOB_STATES) },
    position: z.number().int().min(1).optional(),
    exit: exitSchema.optional(),
    error: errorDataSchema.optional(),
  }),
  /** One line, without its end. A longer one comes in pieces; `worker` is what the worker says about the job itself. */
  z.object({
    ...{ type: z.literal('log'), ...eventFields, stream: z.enum(LOG_STREAMS) },
    text: z.string().max(MAX_LOG_LINE_CHARS),
  }),
  z.object({ type: z.literal('progress'), ...eventFields, ...progressFields }),
  z.object({ type: z.literal('usage'), ...eventFields, ...usageFields }),
]);
export type JobEvent = z.infer<typeof jobEventSchema>;
