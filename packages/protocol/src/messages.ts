import * as z from 'zod';
import { aliasSchema } from './alias.ts';
import { digestSchema } from './digest.ts';
import { DISPLAY_STATUSES, modelEntrySchema } from './entry.ts';
import {
  MAX_CHUNKS_PER_REQUEST,
  MAX_ENTRIES_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PAGE,
  MAX_PLAIN_MESSAGE_BYTES,
  QUERY_TIMEOUT_MS,
} from './limits.ts';
import { listSchema } from './list-schema.ts';
import { manifestSchema } from './manifest.ts';

/** What a session token allows. */
export const SCOPES = ['read', 'write', 'track'] as const;
export type Scope = (typeof SCOPES)[number];
export const scopeSchema = z.enum(SCOPES);

const requestId = z.number().int().min(0).max(0xffff_ffff);
const refSchema = z.string().min(1).max(4096);
const byteCount = z.number().int().min(0);

export const errorDataSchema = z.object({
  /** An unknown code of a newer version is taken as `unexpected`. */
  code: z.string().max(64),
  message: z.string().max(4096),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const helloSchema = z.object({
  type: z.literal('hello'),
  protocol: z.object({ major: z.number().int().min(0), minor: z.number().int().min(0) }),
  agent: z.object({
    role: z.enum(['worker', 'client']),
    name: z.string().max(256),
    version: z.string().max(64),
  }),
  /** Optional abilities; an unknown one is ignored. */
  capabilities: z.array(z.string().max(64)).max(256),
  limits: z.object({
    /** The longest message, after joining its fragments, that this agent takes. */
    maxMessageBytes: z.number().int().min(65_536).max(MAX_MESSAGE_BYTES),
    /** Requests that it answers at once. */
    maxOpenRequests: z.number().int().min(1).max(1024),
  }),
});
export type Hello = z.infer<typeof helloSchema>;

const requestSchema = z.object({
  type: z.literal('request'),
  id: requestId,
  method: z.string().min(1).max(64),
  params: z.unknown(),
  /** The lane that carried the request was lost: it is asked again, with the same id, and answered once. */
  again: z.literal(true).optional(),
});
const replySchema = z.object({ type: z.literal('reply'), id: requestId, result: z.unknown() });
const errorSchema = z.object({ type: z.literal('error'), id: requestId, error: errorDataSchema });
const eventSchema = z.object({ type: z.literal('event'), id: requestId, event: z.unknown() });
const cancelSchema = z.object({ type: z.literal('cancel'), id: requestId });
const pingSchema = z.object({ type: z.literal('ping'), nonce: requestId });
const pongSchema = z.object({ type: z.literal('pong'), nonce: requestId });
/** The sender is about to close the peer; the error says why, unless it is an ordinary end. */
const byeSchema = z.object({ type: z.literal('bye'), error: errorDataSchema.optional() });

/** Sets up another lane of the same peer: the content of a sealed envelope, sent over a lane instead. */
const exchangeSchema = z.object({ type: z.literal('exchange'), message: z.unknown() });

/** Everything that crosses a lane besides frames. */
export const messageSchema = z.discriminatedUnion('type', [
  helloSchema,
  requestSchema,
  replySchema,
  errorSchema,
  eventSchema,
  cancelSchema,
  pingSchema,
  pongSchema,
  byeSchema,
  exchangeSchema,
]);
export type Message = z.infer<typeof messageSchema>;

const MESSAGE_TYPES: ReadonlySet<string> = new Set(messageSchema.options.map(({ shape }) => shape.type.value));

export function isMessageType(type: string): boolean {
  return MESSAGE_TYPES.has(type);
}

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

export const listModelsResult = z.object({
  models: listSchema(modelEntrySchema, { max: MAX_PAGE }),
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
    .array(z.object({ index: requestId, digest: digestSchema }))
    .min(1)
    .max(MAX_CHUNKS_PER_REQUEST),
  /** Encodings that the asker can decode, besides the plain bytes; the answerer uses one that it knows, or none. */
  encodings: z.array(z.string().max(32)).max(16).optional(),
});

export const getChunksResult = z.object({
  /** Labels of chunks that the answerer does not have yet, because it is still fetching the model itself. */
  missing: z.array(requestId).max(MAX_CHUNKS_PER_REQUEST).optional(),
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
});

/** The receiver's progress events during a push. */
export const pushEventSchema = z.object({
  type: z.literal('progress'),
  state: z.string().max(64),
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

const nothing = z.object({});

/** How both sides treat a request. */
interface MethodPolicy {
  /**
   * What happens to it when the lane that carried it is lost:
   * - `query`: it only looks, so it is asked again and simply answered anew
   * - `action`: it changes something, so it is asked again, but done once: its answer is kept for the second asking
   * - `stream`: its frames come back on the lane that it was asked over, so it fails with the lane
   */
  readonly kind: 'query' | 'action' | 'stream';
  /** The scope that its asker's token must have. */
  readonly scope: Scope;
  /** How long the other side may be silent, in milliseconds; undefined for what takes as long as it takes. */
  readonly silenceMs: number | undefined;
  /** How often it is asked again after such a silence. */
  readonly retries: number;
  /** The longest message that asks it, and the longest that answers it, in bytes. A longer one is refused undecoded. */
  readonly maxRequestBytes: number;
  readonly maxReplyBytes: number;
  /** What an answer that breaks its schema is: another version's, or about a model that no agent can take. */
  readonly badResult: 'malformed_message' | 'invalid_model';
}

/** How long something takes is for the other side to know: hashing a large model takes minutes. */
const NO_LIMIT = { silenceMs: undefined, retries: 0 } as const;
/** Answered from an index: silence means that the question or its answer was lost. */
const QUICK = { silenceMs: QUERY_TIMEOUT_MS, retries: 1 } as const;
const QUICK_READ = { kind: 'query', scope: 'read', ...QUICK } as const;
/** It names things by their digests, ids and aliases, and has an answer of that kind. */
const SHORT = {
  ...{ maxRequestBytes: MAX_PLAIN_MESSAGE_BYTES, maxReplyBytes: MAX_PLAIN_MESSAGE_BYTES },
  badResult: 'malformed_message',
} as const;
const ENTRIES_BACK = { ...SHORT, maxReplyBytes: MAX_ENTRIES_BYTES } as const;
const MANIFEST_BACK = { ...SHORT, maxReplyBytes: MAX_MESSAGE_BYTES, badResult: 'invalid_model' } as const;
const MANIFEST_OUT = { ...ENTRIES_BACK, maxRequestBytes: MAX_MESSAGE_BYTES } as const;

/** Every request: its policy, and the schemas of its parameters, of its answer and of what is told meanwhile. */
export const METHODS = {
  list_models: { ...QUICK_READ, ...ENTRIES_BACK, params: listModelsParams, result: listModelsResult, event: nothing },
  get_model_info: {
    ...QUICK_READ,
    ...ENTRIES_BACK,
    params: z.object({ ref: refSchema }),
    result: getModelInfoResult,
    event: nothing,
  },
  check_model_exists: {
    ...QUICK_READ,
    ...ENTRIES_BACK,
    params: z.object({ ref: refSchema }),
    result: checkModelExistsResult,
    event: nothing,
  },
  get_manifest: {
    ...QUICK_READ,
    ...MANIFEST_BACK,
    params: z.object({ digest: digestSchema }),
    result: z.object({ manifest: manifestSchema }),
    event: nothing,
  },
  get_chunks: {
    ...{ kind: 'stream', scope: 'read', ...NO_LIMIT, ...SHORT },
    params: getChunksParams,
    result: getChunksResult,
    event: nothing,
  },
  push_model: {
    ...{ kind: 'action', scope: 'write', ...NO_LIMIT, ...MANIFEST_OUT },
    params: pushModelParams,
    result: pushModelResult,
    event: pushEventSchema,
  },
  plan_push: {
    ...{ kind: 'query', scope: 'write', ...NO_LIMIT, ...MANIFEST_OUT },
    params: z.object({ manifest: manifestSchema }),
    result: planPushResult,
    event: nothing,
  },
  report_installed: {
    ...{ kind: 'action', scope: 'read', ...NO_LIMIT, ...SHORT },
    params: reportInstalledParams,
    result: nothing,
    event: nothing,
  },
} as const satisfies Record<string, MethodPolicy & { params: z.ZodType; result: z.ZodType; event: z.ZodType }>;

export type Method = keyof typeof METHODS;
/** The parameters as a caller writes them (defaults may be left out), and as a handler gets them. */
export type ParamsInput<M extends Method> = z.input<(typeof METHODS)[M]['params']>;
export type Params<M extends Method> = z.output<(typeof METHODS)[M]['params']>;
export type ResultInput<M extends Method> = z.input<(typeof METHODS)[M]['result']>;
export type Result<M extends Method> = z.output<(typeof METHODS)[M]['result']>;
export type EventOf<M extends Method> = z.output<(typeof METHODS)[M]['event']>;

export function isMethod(name: string): name is Method {
  return Object.hasOwn(METHODS, name);
}
