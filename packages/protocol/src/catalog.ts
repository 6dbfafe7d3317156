import * as z from 'zod';
import { digestSchema } from './digest.ts';
import { DISPLAY_STATUSES, hubOriginSchema, MODEL_SOURCES, modelIdSchema } from './entry.ts';
import { MAX_CATALOG_MODELS, MAX_PAGE } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { aliasSchema } from './name-schemas.ts';

/** The version of a catalog as a file and as an answer. */
export const CATALOG_VERSION = 1;

/** What models can be computed on. A later version may know more. */
export const BACKENDS = ['cpu', 'cuda', 'metal'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Names separated by `/`, none of them `.` or `..`, none that a shell or a command would take for something else. */
const CATALOG_ID =
  /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9_][A-Za-z0-9_.:@+-]*(?:\/[A-Za-z0-9_.@+-][A-Za-z0-9_.:@+-]*)*$/;

/** What a catalog calls a model: `ORG/NAME`, or the registry's own id. */
export const catalogIdSchema = z.string().max(256).regex(CATALOG_ID);

/** A text that can be shown in a line: without control characters and direction marks. */
const lineSchema = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+$/u);

const { repo, revision, commit } = hubOriginSchema.shape;

/** What else is known of a model. Each field is absent where it is not known. */
const catalogMetadataSchema = z.object({
  registry_id: modelIdSchema.optional().describe("The model's id in the registry of its machine"),
  digest: digestSchema.optional().describe('The SHA-256 of the list of its files, its identity on every machine'),
  alias: aliasSchema.optional().describe('Its short name on its machine'),
  status: z.enum(DISPLAY_STATUSES).optional().describe('How it is there, as its machine sees it now'),
  source: z.enum(MODEL_SOURCES).optional().describe('How it came to its machine'),
  repo: repo.optional().describe('Its repository on a hub'),
  revision: revision.describe('The branch, tag or commit that was asked for'),
  commit: commit.optional().describe('The commit of the repository that it was taken from'),
  parameters: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('How many numbers its tensors hold'),
  license: z.string().max(4096).optional().describe('As its maker names it'),
  files: z.number().int().min(0).optional().describe('How many files it has'),
  tags: z.array(z.string().max(64)).max(64).optional().describe('Words that people gave it'),
  added_at: z.iso.datetime().optional().describe('When it came to its machine, or was registered'),
});

/** One model of a catalog, in the form that files and programs have it. */
export const catalogModelSchema = z.object({
  id: catalogIdSchema.describe('Names the model in this catalog; unique there'),
  name: z.string().min(1).max(256).describe('A name for people'),
  path: z
    .string()
    .max(1024)
    .nullable()
    .describe("The model's folder, in the data folder of its machine; null when it is not there"),
  format: z.string().max(64).nullable().describe('What its weights are kept in: safetensors, gguf, onnx, torch ...'),
  size_gb: z.number().min(0).nullable().describe('The bytes of all of its files, in units of 1,000,000,000'),
  architecture: z.string().max(64).nullable().describe('Its kind: qwen2, llama, centered_instance ...'),
  downloaded: z.boolean().describe('False while it is only registered'),
  backends: z
    .array(z.string().max(32))
    .max(16)
    .describe('What its machine can compute it on: cpu, cuda, metal, as found there'),
  metadata: catalogMetadataSchema.describe('What else is known of it'),
});
export type CatalogModel = z.infer<typeof catalogModelSchema>;

const catalogHead = {
  version: z.literal(CATALOG_VERSION),
  pool_id: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Whose catalog it is: the public key of that machine'),
  updated_at: z.iso.datetime().describe('When a model was last added, changed or removed there'),
};

/** A whole catalog, as `catalog --json` prints it and `catalog export` writes it. */
export const catalogSchema = z.object({
  ...catalogHead,
  models: z.array(catalogModelSchema).max(MAX_CATALOG_MODELS),
});
export type Catalog = z.infer<typeof catalogSchema>;

/** A model that is registered before it is there. */
export const plannedModelSchema = z.object({
  id: catalogIdSchema,
  name: lineSchema(256),
  /** Where on a hub it is. */
  repo: repo.optional(),
  revision,
  architecture: lineSchema(64).optional(),
  /** What it is, where that is known: a worker that has this content can give it. */
  digest: digestSchema.optional(),
});
export type PlannedModel = z.infer<typeof plannedModelSchema>;

export const listCatalogParams = z.object({
  /** The `nextCursor` of the page before. */
  cursor: z.string().max(512).optional(),
  limit: z.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
});

export const listCatalogResult = z.object({
  ...catalogHead,
  models: listSchema(catalogModelSchema, { max: MAX_PAGE }),
  nextCursor: z.string().max(512).optional(),
  /** How many models the catalog has in all. */
  total: z.number().int().min(0),
});
export type CatalogPage = z.output<typeof listCatalogResult>;

/** The model is fetched by whoever has the catalog. */
export const fetchModelParams = z.object({ id: catalogIdSchema, acceptLicense: z.boolean().default(false) });

export const registerModelParams = plannedModelSchema.omit({ digest: true });
export const catalogModelResult = z.object({ model: catalogModelSchema });
