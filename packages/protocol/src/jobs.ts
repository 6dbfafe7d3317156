import * as z from 'zod';
import { digestSchema } from './digest.ts';
import {
  MAX_FILES,
  MAX_JOB_DATA,
  MAX_JOB_EVENTS,
  MAX_JOB_MODELS,
  MAX_JOB_SETTINGS,
  MAX_LOG_LINE_CHARS,
  MAX_PAGE,
  MAX_RUNNERS,
} from './limits.ts';
import { listSchema } from './list-schema.ts';
import { manifestSchema } from './manifest.ts';
import { errorDataSchema } from './messages.ts';
import { modelPathProblem, modelPathSchema } from './model-path.ts';
import { refSchema } from './model-requests.ts';

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

export const listRunnersResult = z.object({ runners: listSchema(runnerSummarySchema, { max: MAX_RUNNERS }) });

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

export const checkDataParams = z.object({ digests: z.array(digestSchema).min(1).max(MAX_JOB_DATA) });
/** What this token has to push before a job can read it. */
export const checkDataResult = z.object({ missing: z.array(digestSchema).max(MAX_JOB_DATA) });

/** Please pull these files from me, and keep them for jobs. */
export const pushDataParams = z.object({ manifest: manifestSchema });

export const pushDataResult = z.object({
  digest: digestSchema,
  outcome: z.enum(['stored', 'already_there']),
  transferredBytes: count,
  reusedBytes: count,
  resumedBytes: count,
});

export const submitJobParams = z.object({
  /** In the order in which the runner gets them. */
  models: z.array(digestSchema).max(MAX_JOB_MODELS),
  data: z.array(jobDataSchema).max(MAX_JOB_DATA),
  /** Without one, the worker takes the runner that accepts the models' types. */
  runner: runnerNameSchema.optional(),
  settings: settingsSchema.default({}),
  /**
   * Run it even if the same job was run before: same models, data, runner and settings. A word that the client makes at random, so
   * that the same request, asked again after its answer was lost, starts no second job.
   */
  again: z
    .string()
    .regex(/^[a-z0-9]{8,64}$/, 'it is 8 to 64 lower-case letters and digits')
    .optional(),
  /** An interrupted training of the worker to resume, instead of models. */
  resume: refSchema.optional(),
});
export type SubmitJobParams = z.infer<typeof submitJobParams>;

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

export const jobSchema = z.object({
  id: jobIdSchema,
  state: z.enum(JOB_STATES),
  runner: runnerNameSchema,
  models: z
    .array(
      z.object({
        digest: digestSchema,
        id: z.string().max(128),
        alias: z.string().max(64).optional(),
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

export const listJobsParams = z.object({
  states: z.array(z.enum(JOB_STATES)).max(JOB_STATES.length).optional(),
  /** The `nextCursor` of the previous page. */
  cursor: z.string().max(512).optional(),
  limit: z.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
});

/** The token's own jobs, the newest first. */
export const listJobsResult = z.object({
  jobs: listSchema(jobSchema, { max: MAX_PAGE }),
  nextCursor: z.string().max(512).optional(),
  total: count,
});

export const jobIdParams = z.object({ id: jobIdSchema });
export const jobResult = z.object({ job: jobSchema });
/** `found`: the same job was there already, in whatever state it is. */
export const submitJobResult = z.object({ job: jobSchema, outcome: z.enum(['queued', 'found']) });

export const followJobParams = z.object({
  id: jobIdSchema,
  /** The number of the first event that is wanted: one more than the last that came, after a reconnect. */
  fromEvent: z.number().int().min(1).default(1),
  /** False: the events that there are now, and no waiting for more. */
  wait: z.boolean().default(true),
});

const EVENT_TYPES: ReadonlySet<unknown> = new Set(jobEventSchema.options.map(({ shape }) => shape.type.value));

/** An event of a type that only later versions know. */
function isForLater(event: unknown): boolean {
  const type = (event as { type?: unknown } | null)?.type;
  return typeof type === 'string' && !EVENT_TYPES.has(type);
}

/** Several events at once, in order: a runner may print 100,000 lines. Those of an unknown type are passed over. */
export const followJobEvent = z.object({
  events: z
    .array(z.unknown())
    .min(1)
    .max(MAX_JOB_EVENTS)
    .transform((events) => events.filter((event) => !isForLater(event)))
    .pipe(listSchema(jobEventSchema, { max: MAX_JOB_EVENTS })),
});

/** The files of a job's results; `get_chunks` gives their bytes, by the digest of the manifest. */
export const getResultsResult = z.object({
  /** A single file, whose path is its own name, or a folder. */
  form: z.enum(['file', 'folder']),
  /** Absent when there is no file at all. */
  manifest: manifestSchema.optional(),
  emptyFolders: listSchema(modelPathSchema, { max: MAX_FILES }).default([]),
});
