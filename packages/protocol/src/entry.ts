import { z } from 'zod';
import { aliasSchema } from './alias.ts';
import { digestSchema } from './digest.ts';

export const MODEL_SOURCES = [
  'worker-training',
  'worker-pull',
  'client-upload',
  'local-import',
  'hub',
  'static-registry',
] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];

export const MODEL_STATUSES = ['training', 'completed', 'interrupted', 'failed'] as const;
export type ModelStatus = (typeof MODEL_STATUSES)[number];

const text = z.string().max(4096);
const timeSchema = z.iso.datetime();

/** A name or number that a tool wrote beside its model; no objects, so that it prints in one cell. */
export const scalarSchema = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()]);
const scalarsSchema = z.record(z.string().max(256), scalarSchema);

/** Where a model came from. `parents` are ids, digests or names, nearest first. */
const lineageSchema = z.object({
  fineTunedFrom: text.optional(),
  parents: z.array(text).max(64).optional(),
});

/** What is known of a model besides its files; the part of a registry's entry that agents tell each other. */
export const modelEntrySchema = z.object({
  /** The first 8 hex characters of the digest, longer on a collision; a run id while the model is training. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  /** Not there while the model is training, since its content is not settled. */
  digest: digestSchema.optional(),
  runHash: text.optional(),
  /** A type such as `centered_instance`, `qwen2`, `gguf`; a name that can stand in a folder's name. */
  modelType: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  /** The tool that wrote it: `sleap-nn`, `sleap`, `hub`, `file`. */
  framework: text.optional(),
  backbone: text.optional(),
  alias: aliasSchema.optional(),
  source: z.enum(MODEL_SOURCES),
  status: z.enum(MODEL_STATUSES),
  createdAt: timeSchema.optional(),
  completedAt: timeSchema.optional(),
  importedAt: timeSchema.optional(),
  downloadedAt: timeSchema.optional(),
  /** The bytes and the number of all files. */
  size: z.number().int().min(0),
  fileCount: z.number().int().min(0),
  /** Paths inside the model. */
  checkpointPath: text.optional(),
  configPath: text.optional(),
  metrics: scalarsSchema.default({}),
  hyperparameters: scalarsSchema.default({}),
  versions: scalarsSchema.default({}),
  tags: z.array(z.string().min(1).max(64)).max(64).default([]),
  notes: z.string().max(65_536).optional(),
  lineage: lineageSchema.optional(),
  license: text.optional(),
});

export type ModelEntry = z.infer<typeof modelEntrySchema>;
