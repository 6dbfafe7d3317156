import * as z from 'zod';
import { digestSchema } from './digest.ts';
import { aliasSchema } from './name-schemas.ts';

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

/** A model's status as lists show it: its own, or a problem with its main file. */
export const DISPLAY_STATUSES = [...MODEL_STATUSES, 'checkpoint_missing', 'broken_symlink'] as const;
export type DisplayStatus = (typeof DISPLAY_STATUSES)[number];

const text = z.string().max(4096);
const timeSchema = z.iso.datetime();

/** A name or number that a tool wrote beside its model; no objects, so that it prints in one cell. */
export type Scalar = string | number | boolean | null;
const MAX_SCALAR_CHARS = 4096;
const MAX_SCALAR_NAME_CHARS = 256;

/** A check by hand, since a list of ten thousand models has a hundred thousand of these: zod takes many times as long. */
const scalarsSchema = z.custom<Record<string, Scalar>>(
  isScalars,
  'a map of names to texts, numbers, booleans and nulls',
);

function isScalars(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, scalar]) => name.length <= MAX_SCALAR_NAME_CHARS && isScalar(scalar));
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= MAX_SCALAR_CHARS;
  return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean' || value === null;
}

/** Where a model came from. `parents` are ids, digests or names, nearest first. */
const lineageSchema = z.object({
  fineTunedFrom: text.optional(),
  parents: z.array(text).max(64).optional(),
  /** The model with the same tensors in files of another format, which this one was made from. */
  convertedFrom: digestSchema.optional(),
});

/** A file that runs code when a tool loads it (pickle), with imports that a model does not need. */
export const codeFileSchema = z.object({
  /** Inside the model. */
  path: text,
  /** Such as `os.system`; sorted. */
  suspicious: z.array(z.string().max(256)).max(32),
  /** A part of it could not be examined, so that it may run code; `suspicious` says why, in brackets. */
  unexamined: z.literal(true).optional(),
});
export type CodeFile = z.infer<typeof codeFileSchema>;

/** Enough to tell what happened to a model. */
export const MAX_INCOMPLETE_FILES = 64;

/** A file that a model lacks, wholly or in part. */
export const incompleteFileSchema = z.object({
  /** Inside the model. */
  path: text,
  /** What is wrong with it, as a sentence without the path: `is cut off: ...`. */
  problem: z.string().max(1024),
});
export type IncompleteFile = z.infer<typeof incompleteFileSchema>;

/** A name of a group, model or version in a static registry: any text that can be shown in a line. */
const releaseNameSchema = z
  .string()
  .max(128)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+$/u);

/** A version of a model that a static registry lists: `fast-whisper/tiny@fp16`. */
export const releaseSchema = z.object({
  group: releaseNameSchema,
  model: releaseNameSchema,
  version: releaseNameSchema,
  /** The SHA-256 of its manifest, where this agent itself took the model from the registry; what another agent says of it is dropped. */
  manifest: digestSchema.optional(),
  /** The registry's address, without a password. */
  registry: z.string().min(1).max(2048).optional(),
});
export type Release = z.infer<typeof releaseSchema>;

/** One model is published under a few names, such as `1.0` and `stable`. */
export const MAX_RELEASES = 32;

/** A name on a hub: 1 to 96 of these characters, no `-` or `.` at its ends, neither `--` nor `..` inside. */
const HUB_NAME = '(?![^/]*(?:--|\\.\\.))[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';

/** A branch, tag or commit: as a hub's address can hold it, and as it can be shown in a line. */
const hubRevisionSchema = z.string().regex(/^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+-]{0,254}$/);

/** The version of a hub's repository that a model was taken from. */
export const hubOriginSchema = z.object({
  /** `ORG/NAME`; some old repositories have no `ORG`. */
  repo: z.string().regex(new RegExp(`^${HUB_NAME}(?:/${HUB_NAME})?$`)),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** What a person asked for: a branch, a tag or the commit. Absent for the hub's default branch. */
  revision: hubRevisionSchema.optional(),
  /** The address of the hub, where it is not the public one. For people to read: no agent connects to it because another says so. */
  endpoint: z.string().min(1).max(2048).optional(),
});
export type HubOrigin = z.infer<typeof hubOriginSchema>;

/** More would hide each other. */
export const MAX_MODEL_WARNINGS = 64;
export const MAX_MODEL_WARNING_CHARS = 1024;

const componentStateSchema = z.enum(['present', 'missing', 'incomplete']);
export type ComponentState = z.infer<typeof componentStateSchema>;

/** What a model consists of, and whether each is there. Absent where a model of its kind has no such part. */
export const modelComponentsSchema = z.object({
  weights: componentStateSchema.optional(),
  config: componentStateSchema.optional(),
  tokenizer: componentStateSchema.optional(),
});
export type ModelComponents = z.infer<typeof modelComponentsSchema>;

/** A model's id: a name that can stand in a folder's or file's name. */
export const modelIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/** What is known about a model besides its files: the part of a registry entry that agents send to each other. */
export const modelEntrySchema = z.object({
  /** The first 8 hex characters of the digest, longer on a collision; a run id while the model is training. */
  id: modelIdSchema,
  /** Absent while the model is training, because its content still changes. */
  digest: digestSchema.optional(),
  runHash: text.optional(),
  /** A type such as `centered_instance`, `qwen2`, `gguf`; a name that can stand in a folder's name. */
  modelType: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  /** The tool that wrote it: `sleap-nn`, `sleap`, `hub`, `file`. */
  framework: text.optional(),
  backbone: text.optional(),
  alias: aliasSchema.optional(),
  /** Its full name for people; an alias is short. */
  name: z.string().min(1).max(256).optional(),
  source: z.enum(MODEL_SOURCES),
  status: z.enum(MODEL_STATUSES),
  /** As the agent that has the model sees it now; not stored. Agents before version 1.1 do not send it. */
  displayStatus: z.enum(DISPLAY_STATUSES).optional(),
  /** The sending agent is still fetching the model and has this many of its bytes; not stored. */
  partialBytes: z.number().int().min(0).optional(),
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
  /** What static registries call it. */
  releases: z.array(releaseSchema).max(MAX_RELEASES).optional(),
  /** Where on a hub it comes from. */
  hub: hubOriginSchema.optional(),
  /** How many numbers its tensors hold. The kind of model is `modelType`, its class in its framework is `backbone`. */
  parameters: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  /** What a person should know of how the model was made here, as sentences: what a conversion could not keep. */
  warnings: z.array(z.string().min(1).max(MAX_MODEL_WARNING_CHARS)).min(1).max(MAX_MODEL_WARNINGS).optional(),
  components: modelComponentsSchema.optional(),
  /** Empty when no file runs code, absent when that is unknown. Every agent inspects files itself and trusts no other. */
  codeFiles: z.array(codeFileSchema).max(256).optional(),
  /** What the model lacks by what its own files say. Absent for a whole one. Every agent looks for itself. */
  incomplete: z.array(incompleteFileSchema).min(1).max(MAX_INCOMPLETE_FILES).optional(),
});

export type ModelEntry = z.infer<typeof modelEntrySchema>;
