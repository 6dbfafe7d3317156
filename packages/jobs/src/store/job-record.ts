import { digestSchema, jobSchema, settingsSchema } from '@model-rtc/protocol';
import * as z from 'zod';

const pathSchema = z.string().min(1).max(4096);

const modelSchema = z.object({
  digest: digestSchema.optional(),
  id: z.string().max(128),
  alias: z.string().max(64).optional(),
  modelType: z.string().max(64),
  framework: z.string().max(4096).optional(),
  folder: pathSchema,
  checkpoint: pathSchema.optional(),
  config: pathSchema.optional(),
});

/** The program of a job while it runs, so that a worker that starts again finds what is left of it. */
const programSchema = z.object({
  pid: z.number().int().min(1),
  /** When it started, in clock ticks since the boot: tells a reused process id. Linux only. */
  startTicks: z.string().max(32).optional(),
});
export type ProgramRecord = z.infer<typeof programSchema>;

/** A job as `job.json` holds it. */
export const jobRecordSchema = z.object({
  version: z.literal(1),
  owner: z.string().min(1).max(256),
  /** Grows with every job: the order of the queue. */
  sequence: z.number().int().min(1),
  /** The same for the same owner, models, data, runner and settings. */
  sameKey: digestSchema,
  /** Random; in the environment of all of the job's processes. */
  marker: z.string().regex(/^[a-z0-9]{16,64}$/),
  job: jobSchema.omit({ position: true, lastEvent: true }),
  models: z.array(modelSchema).max(16),
  resume: modelSchema.optional(),
  settings: settingsSchema,
  program: programSchema.optional(),
  /** What the client said so that the same request makes no second job. */
  again: z.string().max(64).optional(),
  /** The number of the last event, once the job has ended. */
  lastEvent: z.number().int().min(0).optional(),
  resultsDeletedAt: z.iso.datetime().optional(),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;
export type StoredModel = z.infer<typeof modelSchema>;
