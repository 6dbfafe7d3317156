import { hostname } from 'node:os';
import {
  type Digest,
  type Log,
  type Manifest,
  parseSessionToken,
  type Result,
  type SessionToken,
  silentLog,
} from '@model-rtc/protocol';
import type { KnownWorker, Registry } from '@model-rtc/registry';
import type { ConnectState, EngineChoice, IceServer, LaneChoice, LaneInfo } from '@model-rtc/transport';
import { ChunkOffers } from './chunk-offers.ts';
import { type ListedModels, type ListOptions, listAndRemember } from './list-models.ts';
import { modelInfo } from './model-info.ts';
import { fetchManifest, type PullModelOptions, type PullModelResult, pullModel } from './pull-model.ts';
import { type PushModelOptions, type PushModelResult, pushModel } from './push-model.ts';
import { type RepairModelOptions, type RepairModelResult, repairModel } from './repair-model.ts';
import { checkAtWorker, type WorkerModelInfo } from './resolve-at-worker.ts';
import { type Connector, SessionLink } from './session-link.ts';
import { type SyncResult, syncWorker } from './sync.ts';
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
  /** Which kinds of connections are tried; all when left out. */
  readonly lane?: LaneChoice | undefined;
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
  /** The worker as this machine remembers it: its key is the same over all sessions and names. */
  readonly known: KnownWorker;
  readonly lanes: readonly LaneInfo[];
  listModels(params?: ListOptions): Promise<ListedModels>;
  modelInfo(ref: string, options?: SignalOption): Promise<WorkerModelInfo>;
  /** The files of a model that the worker has, and their chunks. @throws ModelRtcError `not_found`, `verification_failed` */
  manifest(digest: Digest, options?: SignalOption): Promise<Manifest>;
  checkModel(ref: string, options?: SignalOption): Promise<Result<'check_model_exists'>>;
  /** Asks for all that the worker has, and keeps it beside what was known of it before. */
  sync(options?: SignalOption): Promise<SyncResult>;
  pullModel(ref: string, options?: PullModelOptions): Promise<PullModelResult>;
  pushModel(ref: string, options?: PushModelOptions): Promise<PushModelResult>;
  /** Makes a damaged model of this machine whole with what the worker has. */
  repairModel(ref: string, options?: RepairModelOptions): Promise<RepairModelResult>;
  close(): Promise<void>;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a worker.
 *
 * @throws ModelRtcError `worker_offline` or `network` when it cannot be reached, `token_expired`, `token_revoked` or
 * `refused` when the session is not good, `timeout` when no connection comes up in time.
 */
export async function connect(options: ConnectOptions): Promise<WorkerConnection> {
  const { registry, session, agentName = hostname(), agentVersion = 'unknown' } = options;
  const { connector, engine, lane, iceServers, log = silentLog, onState, time = systemTime, timeoutMs } = options;
  const token = typeof session === 'string' ? parseSessionToken(session) : session;
  const offers = new ChunkOffers(registry);
  const link = new SessionLink({
    ...{ connector, engine, lane, iceServers, log, onState, time, timeoutMs },
    token,
    agent: { name: agentName, version: agentVersion },
    handlers: offers.handlers,
  });
  const first = await link.peer(options.signal);
  const workerName = first.remote.agent.name;
  const known = { key: Buffer.from(token.workerKey).toString('hex'), name: workerName };
  const services: WorkerServices = { registry, known, link, offers, log, time };
  const close = async (): Promise<void> => {
    await link.close();
    await offers.close();
  };
  return {
    workerName,
    known,
    get lanes() {
      return link.lanes;
    },
    listModels: (params = {}) => listAndRemember(services, params),
    modelInfo: (ref, { signal } = {}) => modelInfo(services, ref, signal),
    manifest: async (digest, { signal } = {}) => fetchManifest(await link.peer(signal), digest, signal),
    checkModel: async (ref, { signal } = {}) => {
      const peer = await link.peer(signal);
      return await checkAtWorker(registry, ref, (asked) =>
        peer.request('check_model_exists', { ref: asked }, { signal }),
      );
    },
    sync: ({ signal } = {}) => syncWorker(services, signal),
    pullModel: (ref, pullOptions = {}) => pullModel(services, ref, pullOptions),
    pushModel: (ref, pushOptions = {}) => pushModel(services, ref, pushOptions),
    repairModel: (ref, repairOptions = {}) => repairModel(services, ref, repairOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}
