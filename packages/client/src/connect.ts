import { hostname } from 'node:os';
import {
  type ListModelsParams,
  type Log,
  MAX_PAGE,
  type ModelEntry,
  ModelRtcError,
  type ParamsInput,
  parseSessionToken,
  type Result,
  type SessionToken,
  silentLog,
} from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { ConnectState, EngineChoice, IceServer, LaneInfo } from '@model-rtc/transport';
import { ChunkOffers } from './chunk-offers.ts';
import { type PullModelOptions, type PullModelResult, pullModel } from './pull-model.ts';
import { type PushModelOptions, type PushModelResult, pushModel } from './push-model.ts';
import { type Connector, SessionLink } from './session-link.ts';
import { systemTime, type Time } from './time.ts';
import type { WorkerServices } from './worker-services.ts';

export interface ConnectOptions {
  /** A session token, as text or parsed. */
  readonly session: string | SessionToken;
  /** This machine's registry: where pulled models go and pushed ones come from. */
  readonly registry: Registry;
  /** What the worker sees this client as. */
  readonly agentName?: string | undefined;
  readonly agentVersion?: string | undefined;
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** How long connecting may take, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  readonly onState?: ((state: ConnectState) => void) | undefined;
  /** How a connection is brought up; `connectToSession` of @model-rtc/transport when left out. */
  readonly connector?: Connector | undefined;
  readonly time?: Time | undefined;
}

/** One worker, as a client uses it. The connection is renewed when it is lost. */
export interface WorkerConnection extends AsyncDisposable {
  /** What the worker calls itself. */
  readonly workerName: string;
  readonly lanes: readonly LaneInfo[];
  listModels(params?: ListOptions): Promise<{ models: ModelEntry[]; total: number }>;
  modelInfo(ref: string, options?: SignalOption): Promise<Result<'get_model_info'>>;
  checkModel(ref: string, options?: SignalOption): Promise<Result<'check_model_exists'>>;
  pullModel(ref: string, options?: PullModelOptions): Promise<PullModelResult>;
  pushModel(ref: string, options?: PushModelOptions): Promise<PushModelResult>;
  close(): Promise<void>;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends SignalOption {
  readonly filters?: ParamsInput<'list_models'>['filters'];
  readonly sort?: ListModelsParams['sort'] | undefined;
  /** At most this many; all of them when left out. */
  readonly limit?: number | undefined;
}

/**
 * Connects to a worker.
 *
 * @throws ModelRtcError `worker_offline` or `network` when it cannot be reached, `token_expired`, `token_revoked` or
 * `refused` when the session is not good, `timeout` when no connection comes up in time.
 */
export async function connect(options: ConnectOptions): Promise<WorkerConnection> {
  const { registry, session, agentName = hostname(), agentVersion = 'unknown' } = options;
  const { connector, engine, iceServers, log = silentLog, onState, time = systemTime, timeoutMs } = options;
  const offers = new ChunkOffers(registry);
  const link = new SessionLink({
    ...{ connector, engine, iceServers, log, onState, time, timeoutMs },
    token: typeof session === 'string' ? parseSessionToken(session) : session,
    agent: { name: agentName, version: agentVersion },
    handlers: offers.handlers,
  });
  const first = await link.peer(options.signal);
  const services: WorkerServices = { registry, link, offers, log, time };
  const close = async (): Promise<void> => {
    await link.close();
    await offers.close();
  };
  return {
    workerName: first.remote.agent.name,
    get lanes() {
      return link.lanes;
    },
    listModels: (params = {}) => listModels(services, params),
    modelInfo: async (ref, { signal } = {}) => (await link.peer(signal)).request('get_model_info', { ref }, { signal }),
    checkModel: async (ref, { signal } = {}) =>
      (await link.peer(signal)).request('check_model_exists', { ref }, { signal }),
    pullModel: (ref, pullOptions = {}) => pullModel(services, ref, pullOptions),
    pushModel: (ref, pushOptions = {}) => pushModel(services, ref, pushOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A worker that goes on for ever must not fill this machine's memory; nobody has as many models. */
const MAX_LISTED = 100_000;

/** All pages of the worker's list, up to the limit. */
async function listModels(
  { link }: WorkerServices,
  options: ListOptions,
): Promise<{ models: ModelEntry[]; total: number }> {
  const { filters, sort, signal } = options;
  const limit = Math.min(options.limit ?? MAX_LISTED, MAX_LISTED);
  const peer = await link.peer(signal);
  const models: ModelEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const pageLimit = Math.min(MAX_PAGE, limit - models.length);
    const page = await peer.request('list_models', { filters, sort, cursor, limit: pageLimit }, { signal });
    models.push(...page.models.slice(0, pageLimit));
    cursor = page.nextCursor;
    if (cursor === undefined || models.length >= limit) return { models, total: page.total };
    if (page.models.length === 0) throw endlessList();
  }
}

function endlessList(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The worker says that its list goes on, and sends no more of it; run the same version of model-rtc on both sides.',
  );
}
