import * as z from 'zod';
import {
  catalogIdSchema,
  catalogModelResult,
  fetchModelParams,
  listCatalogParams,
  listCatalogResult,
  registerModelParams,
} from './catalog.ts';
import { digestSchema } from './digest.ts';
import { ModelRtcError } from './errors.ts';
import {
  checkDataParams,
  checkDataResult,
  followJobEvent,
  followJobParams,
  getResultsResult,
  jobIdParams,
  jobResult,
  listJobsParams,
  listJobsResult,
  listRunnersResult,
  pushDataParams,
  pushDataResult,
  submitJobParams,
  submitJobResult,
} from './job-requests.ts';
import { MAX_ENTRIES_BYTES, MAX_MESSAGE_BYTES, MAX_PLAIN_MESSAGE_BYTES, QUERY_TIMEOUT_MS } from './limits.ts';
import { manifestSchema } from './manifest.ts';
import { meshFetchParams, meshFetchResult, meshGossipParams, meshGossipResult } from './mesh-requests.ts';
import {
  checkModelExistsResult,
  followChunksEvent,
  followChunksParams,
  followChunksResult,
  getChunksParams,
  getChunksResult,
  getModelInfoResult,
  listModelsParams,
  listModelsResult,
  planPushResult,
  pushEventSchema,
  pushModelParams,
  pushModelResult,
  refSchema,
  reportInstalledParams,
} from './model-requests.ts';
import type { Scope } from './session-token.ts';

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
  /** The asker's token must have one of these scopes. */
  readonly scopes: readonly [Scope, ...Scope[]];
  /** How long the other side may be silent, in milliseconds; undefined for what takes as long as it takes. */
  readonly silenceMs: number | undefined;
  /** How often it is asked again after such a silence. */
  readonly retries: number;
  /** The longest message that asks it, and the longest that answers it, in bytes. A longer one is refused undecoded. */
  readonly maxRequestBytes: number;
  readonly maxReplyBytes: number;
  /** Whether it may be asked over signaling servers, where there is no connection: its messages are short then. */
  readonly withoutLane?: true;
  /** What an answer that breaks its schema is: another version's, or about a model that no agent can take. */
  readonly badResult: 'malformed_message' | 'invalid_model';
}

/** How long something takes is for the other side to know: hashing a large model takes minutes. */
const NO_LIMIT = { silenceMs: undefined, retries: 0 } as const;
/** Answered from an index: silence means that the question or its answer was lost. */
const QUICK = { silenceMs: QUERY_TIMEOUT_MS, retries: 1 } as const;
const QUICK_READ = { kind: 'query', scopes: ['read'], ...QUICK } as const;
/** Who may run a model by its name may also ask what that name means. */
const QUICK_NAME = { kind: 'query', scopes: ['read', 'track'], ...QUICK } as const;
const QUICK_TRACK = { kind: 'query', scopes: ['track'], ...QUICK } as const;
const QUICK_WRITE = { kind: 'action', scopes: ['write'], ...QUICK, retries: 0 } as const;
const TRACK = { kind: 'action', scopes: ['track'], ...NO_LIMIT } as const;
/** It names things by their digests, ids and aliases, and has an answer of that kind. */
const SHORT = {
  ...{ maxRequestBytes: MAX_PLAIN_MESSAGE_BYTES, maxReplyBytes: MAX_PLAIN_MESSAGE_BYTES },
  badResult: 'malformed_message',
} as const;
const ENTRIES_BACK = { ...SHORT, maxReplyBytes: MAX_ENTRIES_BYTES } as const;
const MANIFEST_BACK = { ...SHORT, maxReplyBytes: MAX_MESSAGE_BYTES, badResult: 'invalid_model' } as const;
const MANIFEST_OUT = { ...ENTRIES_BACK, maxRequestBytes: MAX_MESSAGE_BYTES } as const;

/** Members of a mesh only; whatever their scopes are. */
const OF_MESH = {
  scopes: ['read', 'write', 'track'],
  withoutLane: true,
  maxRequestBytes: MAX_ENTRIES_BYTES,
  maxReplyBytes: MAX_ENTRIES_BYTES,
} as const;

/** Every request: its policy, and the schemas of its parameters, of its answer and of what is told meanwhile. */
export const METHODS = {
  list_models: { ...QUICK_READ, ...ENTRIES_BACK, params: listModelsParams, result: listModelsResult, event: nothing },
  get_model_info: {
    ...QUICK_NAME,
    ...ENTRIES_BACK,
    params: z.object({ ref: refSchema }),
    result: getModelInfoResult,
    event: nothing,
  },
  check_model_exists: {
    ...QUICK_NAME,
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
    // The chunks of models need "read", those of a job's results "track": the handler tells them apart.
    ...{ kind: 'stream', scopes: ['read', 'track'], ...NO_LIMIT, ...SHORT },
    params: getChunksParams,
    result: getChunksResult,
    event: nothing,
  },
  follow_chunks: {
    ...{ kind: 'stream', scopes: ['read'], ...NO_LIMIT, ...SHORT },
    params: followChunksParams,
    result: followChunksResult,
    event: followChunksEvent,
  },
  push_model: {
    ...{ kind: 'action', scopes: ['write'], ...NO_LIMIT, ...MANIFEST_OUT },
    params: pushModelParams,
    result: pushModelResult,
    event: pushEventSchema,
  },
  plan_push: {
    ...{ kind: 'query', scopes: ['write'], ...NO_LIMIT, ...MANIFEST_OUT },
    params: z.object({ manifest: manifestSchema }),
    result: planPushResult,
    event: nothing,
  },
  report_installed: {
    ...{ kind: 'action', scopes: ['read'], ...NO_LIMIT, ...SHORT },
    params: reportInstalledParams,
    result: nothing,
    event: nothing,
  },
  list_catalog: {
    ...QUICK_READ,
    ...ENTRIES_BACK,
    params: listCatalogParams,
    result: listCatalogResult,
    event: nothing,
  },
  register_model: { ...QUICK_WRITE, ...SHORT, params: registerModelParams, result: catalogModelResult, event: nothing },
  unregister_model: {
    ...{ ...QUICK_WRITE, ...SHORT },
    params: z.object({ id: catalogIdSchema }),
    result: catalogModelResult,
    event: nothing,
  },
  fetch_model: {
    ...{ kind: 'action', scopes: ['write'], ...NO_LIMIT, ...SHORT },
    params: fetchModelParams,
    result: catalogModelResult,
    event: nothing,
  },
  list_runners: { ...QUICK_TRACK, ...ENTRIES_BACK, params: nothing, result: listRunnersResult, event: nothing },
  check_data: { ...QUICK_TRACK, ...SHORT, params: checkDataParams, result: checkDataResult, event: nothing },
  push_data: {
    ...{ ...TRACK, ...MANIFEST_OUT },
    params: pushDataParams,
    result: pushDataResult,
    event: pushEventSchema,
  },
  submit_job: { ...TRACK, ...ENTRIES_BACK, params: submitJobParams, result: submitJobResult, event: nothing },
  list_jobs: { ...QUICK_TRACK, ...ENTRIES_BACK, params: listJobsParams, result: listJobsResult, event: nothing },
  get_job: { ...QUICK_TRACK, ...ENTRIES_BACK, params: jobIdParams, result: jobResult, event: nothing },
  follow_job: {
    // A lost lane may have lost events with it: the asker asks again from the next number.
    ...{ kind: 'stream', scopes: ['track'], ...NO_LIMIT, ...ENTRIES_BACK },
    params: followJobParams,
    result: jobResult,
    event: followJobEvent,
  },
  cancel_job: { ...TRACK, ...ENTRIES_BACK, params: jobIdParams, result: jobResult, event: nothing },
  get_results: { ...QUICK_TRACK, ...MANIFEST_BACK, params: jobIdParams, result: getResultsResult, event: nothing },
  mesh_gossip: {
    ...{ ...QUICK_READ, ...SHORT, ...OF_MESH },
    params: meshGossipParams,
    result: meshGossipResult,
    event: nothing,
  },
  mesh_fetch: {
    ...QUICK_READ,
    ...ENTRIES_BACK,
    ...{ scopes: OF_MESH.scopes, withoutLane: true },
    params: meshFetchParams,
    result: meshFetchResult,
    event: nothing,
  },
  report_fetched: { ...TRACK, ...SHORT, params: jobIdParams, result: nothing, event: nothing },
} as const satisfies Record<string, MethodPolicy & { params: z.ZodType; result: z.ZodType; event: z.ZodType }>;

export type Method = keyof typeof METHODS;
/** What may be asked without a connection. */
export type SealedMethod = {
  [M in Method]: (typeof METHODS)[M] extends { readonly withoutLane: true } ? M : never;
}[Method];
/** The parameters as a caller writes them (defaults may be left out), and as a handler gets them. */
export type ParamsInput<M extends Method> = z.input<(typeof METHODS)[M]['params']>;
export type Params<M extends Method> = z.output<(typeof METHODS)[M]['params']>;
export type ResultInput<M extends Method> = z.input<(typeof METHODS)[M]['result']>;
export type Result<M extends Method> = z.output<(typeof METHODS)[M]['result']>;
export type EventOf<M extends Method> = z.output<(typeof METHODS)[M]['event']>;

export function isMethod(name: string): name is Method {
  return Object.hasOwn(METHODS, name);
}

export function isSealedMethod(name: string): name is SealedMethod {
  return isMethod(name) && 'withoutLane' in METHODS[name];
}

/**
 * The error for a token that may not ask something.
 * @param needed - one of them would do
 * @param has - the token's scopes
 */
export function scopeMissingError(
  method: Method,
  needed: readonly [Scope, ...Scope[]],
  has: readonly Scope[],
): ModelRtcError {
  const [scope] = needed;
  const lacking = needed.map((name) => `"${name}"`).join(' or ');
  return new ModelRtcError(
    'scope_missing',
    `This session may not "${method}": it lacks the scope ${lacking}. Ask the worker's owner for another one: model-rtc worker sessions create --scope ${[...has, scope].join(',')}. In a mesh, the invite gives the scopes: model-rtc mesh invite --scope ${[...has, scope].join(',')}`,
    { details: { method, scope } },
  );
}
