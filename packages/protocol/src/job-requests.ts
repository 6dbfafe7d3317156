import * as z from 'zod';
import { digestSchema } from './digest.ts';
import {
  JOB_STATES,
  jobDataSchema,
  jobEventSchema,
  jobIdSchema,
  jobSchema,
  runnerNameSchema,
  runnerSummarySchema,
  settingsSchema,
} from './jobs.ts';
import { MAX_FILES, MAX_JOB_DATA, MAX_JOB_EVENTS, MAX_JOB_MODELS, MAX_PAGE, MAX_RUNNERS } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { manifestSchema } from './manifest.ts';
import { refSchema } from './model-requests.ts';
import { modelPathSchema } from './name-schemas.ts';

const count = z.number().int().min(0);

export const listRunnersResult = z.object({ runners: listSchema(runnerSummarySchema, { max: MAX_RUNNERS }) });

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
