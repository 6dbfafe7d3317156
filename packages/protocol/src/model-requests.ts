import * as z from 'zod';
import { digestSchema } from './digest.ts';
import { DISPLAY_STATUSES, modelEntrySchema } from './entry.ts';
import { MAX_CHUNKS, MAX_CHUNKS_PER_REQUEST, MAX_FOLLOWED_BYTES, MAX_FOLLOWED_PLACES, MAX_PAGE } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { manifestSchema } from './manifest.ts';
import { requestIdSchema } from './messages.ts';
import { aliasSchema } from './name-schemas.ts';

/** What names a model: an id, an alias, the start of a digest, a name or a path. */
export const refSchema = z.string().min(1).max(4096);
const byteCount = z.number().int().min(0);

export const SORT_KEYS = ['date', 'name', 'type', 'loss', 'size'] as const;

export const listModelsParams = z.object({
  filters: z
    .object({
      /** The status as it is shown. */
      status: z.enum(DISPLAY_STATUSES).optional(),
      type: z.string().max(64).optional(),
      tag: z.string().max(64).optional(),
      /** An alias, or a pattern with `*` for any run of characters. */
      alias: z.string().max(128).optional(),
    })
    .default({}),
  sort: z.enum(SORT_KEYS).default('date'),
  /** The `nextCursor` of the previous page. */
  cursor: z.string().max(512).optional(),
  limit: z.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
});
export type ListModelsParams = z.infer<typeof listModelsParams>;

/** A page of models. */
export const modelPageSchema = listSchema(modelEntrySchema, { max: MAX_PAGE });

export const listModelsResult = z.object({
  models: modelPageSchema,
  nextCursor: z.string().max(512).optional(),
  /** How many models match in all; the same on every page. */
  total: z.number().int().min(0),
});

export const getModelInfoResult = z.object({
  entry: modelEntrySchema,
  resolvedBy: z.enum(['id', 'alias', 'digest', 'path']),
  /** For an interrupted training run: the command that resumes it, run in its folder. */
  resumeCommand: z.string().max(4096).optional(),
});

export const checkModelExistsResult = z.object({
  exists: z.boolean(),
  entry: modelEntrySchema.optional(),
  /** Whether every file still has the size and time that it had when it was hashed. */
  valid: z.boolean(),
  problems: z.array(z.object({ path: z.string().max(4096), problem: z.string().max(4096) })).max(100),
});

export const getChunksParams = z.object({
  /** The model that the chunks belong to. */
  digest: digestSchema,
  /** `index` is the asker's own label: frames carry it. `digest` says which bytes are wanted. */
  chunks: z
    .array(z.object({ index: requestIdSchema, digest: digestSchema }))
    .min(1)
    .max(MAX_CHUNKS_PER_REQUEST),
  /** Encodings that the asker can decode, besides the plain bytes; the answerer uses one that it knows, or none. */
  encodings: z.array(z.string().max(32)).max(16).optional(),
  /**
   * The asker also gets chunks from others that are fetching the model, and passes them on: the answerer may call a chunk missing
   * that one of them is just getting from it. Agents that do not know it pass it over.
   */
  shared: z.boolean().optional(),
});

export const getChunksResult = z.object({
  /** Labels of chunks that the answerer does not have yet, because it is still fetching the model itself. */
  missing: z.array(requestIdSchema).max(MAX_CHUNKS_PER_REQUEST).optional(),
});

const placeSchema = z
  .number()
  .int()
  .min(0)
  .max(MAX_CHUNKS - 1);

export const followChunksParams = z.object({
  digest: digestSchema,
  /** The SHA-256 of the asker's list of files and chunks: places in another list would mean other chunks. */
  list: digestSchema,
});
/** Chunks that the answerer has, by their places in the list. It keeps what it has until it is done with the model. */
export const followChunksEvent = z.object({
  /** Bit i of byte b, counted from the lowest, stands for place `from + 8 * b + i`. */
  from: placeSchema.optional(),
  bits: z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length <= MAX_FOLLOWED_BYTES, `at most ${MAX_FOLLOWED_BYTES} bytes`)
    .optional(),
  places: z.array(placeSchema).max(MAX_FOLLOWED_PLACES).optional(),
});
/** Sent when there is nothing more to follow. */
export const followChunksResult = z.object({
  /** It has the whole model; false: it gave up fetching it. */
  whole: z.boolean(),
});

export const IF_EXISTS = ['skip', 'overwrite'] as const;
export type IfExists = (typeof IF_EXISTS)[number];

/**
 * What happens when another model already has the alias: `keep` leaves it there and gives the new model none, `rename` gives
 * the new model a free alias made from it, `overwrite` moves it to the new model.
 */
export const ALIAS_CONFLICTS = ['keep', 'rename', 'overwrite'] as const;
export type AliasConflict = (typeof ALIAS_CONFLICTS)[number];

export const pushModelParams = z.object({
  manifest: manifestSchema,
  entry: modelEntrySchema,
  alias: aliasSchema.optional(),
  ifExists: z.enum(IF_EXISTS).default('skip'),
  /** Without it, a taken alias is refused, or taken over with `overwrite` above. */
  aliasConflict: z.enum(ALIAS_CONFLICTS).optional(),
  /** The receiver may also fetch from the hub that `entry.hub` names, if its owner lets it. Agents before 1.3 pass it over. */
  fromHub: z.boolean().optional(),
});

/** The receiver's progress events during a push. */
export const pushEventSchema = z.object({
  type: z.literal('progress'),
  state: z.string().max(64),
  /** Why it is in this state, such as `waiting_for_lock`: another process there is fetching the same. Agents before 1.3 send none. */
  reason: z.string().max(64).optional(),
  /**
   * Verified bytes on the receiver's disk, of `totalBytes`: `reusedBytes` of them were in other models there,
   * `resumedBytes` come from an earlier attempt.
   */
  doneBytes: byteCount,
  totalBytes: byteCount,
  reusedBytes: byteCount,
  resumedBytes: byteCount,
});
export type PushEvent = z.infer<typeof pushEventSchema>;

export const pushModelResult = z.object({
  entry: modelEntrySchema,
  outcome: z.enum(['installed', 'already_there']),
  transferredBytes: byteCount,
  reusedBytes: byteCount,
  resumedBytes: byteCount,
  /** The id of the model at the worker that had its alias until now, and has none any more. */
  aliasTakenFrom: refSchema.optional(),
  /** How much of `transferredBytes` the receiver fetched from a hub. */
  hubBytes: byteCount.optional(),
});
export type PushModelResult = z.infer<typeof pushModelResult>;

/** What a push would transfer. Nothing is stored. */
export const planPushResult = z.object({
  /** Bytes of chunks that the worker would fetch. */
  transferBytes: byteCount,
  /** Bytes that it has in other models, and in an earlier attempt at this one. */
  reusedBytes: byteCount,
  resumedBytes: byteCount,
  /** Whether it has the whole model. */
  exists: z.boolean(),
});

/** A client's report after a pull, so that the worker's owner can see what the model is called there. */
export const reportInstalledParams = z.object({ digest: digestSchema, alias: aliasSchema.optional() });
