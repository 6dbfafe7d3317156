import { hostname } from 'node:os';
import type { Mesh } from '@model-rtc/mesh';
import {
  type Clock,
  type Digest,
  type Manifest,
  parseSessionToken,
  type Result,
  type SessionToken,
  silentLog,
  systemClock,
} from '@model-rtc/protocol';
import type { KnownWorker, Registry } from '@model-rtc/registry';
import { type ModelProvider, type StorageCap, shortOrigin } from '@model-rtc/transfer';
import { type ConnectToSessionOptions, type LaneInfo, LaneShare, type Peer } from '@model-rtc/transport';
import { type RemoteCatalog, remoteCatalog } from './catalog.ts';
import { ChunkOffers } from './chunk-offers.ts';
import { type ListedModels, type ListOptions, listAndRemember, type SyncResult, syncWorker } from './list-models.ts';
import { manifestFrom } from './manifest.ts';
import { MeshProvider } from './mesh/mesh-provider.ts';
import { checkAtWorker, modelInfo, type WorkerModelInfo } from './model-info.ts';
import {
  type ModelPlan,
  type PlanPullOptions,
  type PlanPushOptions,
  type PullPlan,
  planFromProviders,
  planPush,
} from './plan-transfer.ts';
import { type PullModelOptions, type PullModelResult, pullFromProviders } from './pull-model.ts';
import { type PushModelOptions, type PushModelResult, pushModel } from './push-model.ts';
import type { RemoteWorker } from './remote-worker.ts';
import { type RepairModelOptions, type RepairModelResult, repairModel } from './repair-model.ts';
import { type Connector, SessionLink } from './session-link.ts';
import type { WorkerJobs } from './track/types.ts';
import { workerJobs } from './track/worker-jobs.ts';
import type { AgentLimits } from './transfer-speed.ts';
import { WorkerProvider } from './worker-provider.ts';

/** How a client connects to one worker. The inherited options are those of `connectToSession` in @model-rtc/transport. */
export interface ConnectOptions
  extends Omit<
    ConnectToSessionOptions,
    'token' | 'agent' | 'handlers' | 'waitForWorker' | 'laneShare' | 'clock' | 'now'
  > {
  /** A session token, as text or parsed. */
  readonly session: string | SessionToken;
  /** The worker's name until it tells its own; `worker` and the start of its key when left out. */
  readonly name?: string | undefined;
  /** This machine's registry: where pulled models go and pushed ones come from. */
  readonly registry: Registry;
  /** The name that the worker sees. */
  readonly agentName?: string | undefined;
  readonly agentVersion?: string | undefined;
  /** How a connection is brought up; `connectToSession` when left out. */
  readonly connector?: Connector | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1: spreads the attempts of many clients to connect again. */
  readonly random?: (() => number) | undefined;
  /** Limits on all transfers of this agent together; none when left out. */
  readonly limits?: AgentLimits | undefined;
  /** How much room the models of this machine may take; pulled ones make others go. Any when left out. */
  readonly storage?: StorageCap | undefined;
}

/** One worker, as a client uses it. The connection is renewed when it is lost. */
export interface WorkerConnection extends Omit<WorkerGroup, 'workers'> {
  /** The name that the worker gave itself. */
  readonly workerName: string;
  /** The worker as this machine remembers it: its key is the same over all sessions and names. */
  readonly known: KnownWorker;
  readonly lanes: readonly LaneInfo[];
  /** What the worker has and plans to have. */
  readonly catalog: RemoteCatalog;
  /** What this session runs at the worker. */
  readonly jobs: WorkerJobs;
  listModels(params?: ListOptions): Promise<ListedModels>;
  modelInfo(ref: string, options?: SignalOption): Promise<WorkerModelInfo>;
  checkModel(ref: string, options?: SignalOption): Promise<Result<'check_model_exists'>>;
  /** Lists all models of the worker, and updates what this machine knows about it. */
  sync(options?: SignalOption): Promise<SyncResult>;
  pushModel(ref: string, options?: PushModelOptions): Promise<PushModelResult>;
  /** What `pushModel` would send; nothing is stored on either side. Not supported by workers before version 1.2. */
  planPush(ref: string, options?: PlanPushOptions): Promise<ModelPlan>;
  /** Repairs a damaged model of this machine with the worker's copy. */
  repairModel(ref: string, options?: RepairModelOptions): Promise<RepairModelResult>;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a worker.
 *
 * @throws ModelRtcError `worker_offline` or `network` when it cannot be reached, `token_expired`, `token_revoked` or
 * `refused` when the session is not valid, `timeout` when no connection comes up in time.
 */
export async function connect({ session, name, signal, ...options }: ConnectOptions): Promise<WorkerConnection> {
  const { workers, pullModel, planPull, manifest, close } = connectAll({ ...options, sessions: [{ session, name }] });
  const [worker] = workers as readonly [RemoteWorker];
  const { known, link } = worker;
  try {
    await link.reach(signal);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    workerName: known.name,
    known,
    catalog: remoteCatalog(worker),
    jobs: workerJobs(worker),
    get lanes() {
      return link.lanes;
    },
    listModels: (params = {}) => listAndRemember(worker, params),
    modelInfo: (ref, asking = {}) => modelInfo(worker, ref, asking.signal),
    checkModel: (ref, asking = {}) => checkAtWorker(worker, ref, asking.signal),
    sync: (asking = {}) => syncWorker(worker, asking.signal),
    ...{ pullModel, planPull, manifest },
    pushModel: (ref, pushOptions = {}) => pushModel(worker, ref, pushOptions),
    planPush: (ref, planOptions) => planPush(worker, ref, planOptions),
    repairModel: (ref, repairOptions = {}) => repairModel(worker, ref, repairOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export interface ConnectAllOptions extends Omit<ConnectOptions, 'session' | 'name' | 'signal'> {
  /** The workers, in the order in which they decide what a name means. Of two sessions for one worker, the first is used. */
  readonly sessions: readonly { readonly session: string | SessionToken; readonly name?: string | undefined }[];
  /** Where models come from besides, such as a static registry. They decide before the workers what a name means. */
  readonly providers?: readonly ModelProvider[] | undefined;
  /** Meshes whose nodes give models too. They decide first what a name means. */
  readonly meshes?: readonly Mesh[] | undefined;
}

/** Several workers that send one model at once. Each is connected to when it is first needed. */
export interface WorkerGroup extends AsyncDisposable {
  readonly workers: readonly RemoteWorker[];
  pullModel(ref: string, options?: PullModelOptions): Promise<PullModelResult>;
  /** What `pullModel` would fetch; nothing is stored. */
  planPull(ref: string, options?: PlanPullOptions): Promise<PullPlan>;
  /** The files of a model and their chunks, as the first that has it says. @throws ModelRtcError `not_found`, `verification_failed` */
  manifest(digest: Digest, options?: SignalOption): Promise<Manifest>;
  close(): Promise<void>;
}

/**
 * Prepares connections to several workers. None of them has to be online yet: a transfer goes on without those that cannot
 * be reached.
 *
 * @throws ModelRtcError `bad_argument` for an invalid session
 */
export function connectAll({
  sessions,
  providers: others = [],
  meshes = [],
  ...options
}: ConnectAllOptions): WorkerGroup {
  const {
    registry,
    limits = {},
    storage,
    clock = systemClock,
    random = Math.random,
    log = silentLog,
    ...network
  } = options;
  const { agentName = hostname(), agentVersion = 'unknown', ...lanes } = network;
  const context = { registry, log, clock, random, limits, storage };
  const laneShare = new LaneShare();
  const agent = { name: agentName, version: agentVersion, capabilities: CAPABILITIES };
  const linkTo = (token: SessionToken): SessionLink => new SessionLink({ ...lanes, laneShare, log, agent, token });
  const inMeshes = meshes.map((mesh) => new MeshProvider({ ...context, mesh, linkTo }));
  const workers = new Map<string, RemoteWorker>();
  for (const { session, name } of sessions) {
    const token = typeof session === 'string' ? parseSessionToken(session) : session;
    const key = Buffer.from(token.workerKey).toString('hex');
    if (workers.has(key)) continue;
    const known = { key, name: name ?? `worker ${shortOrigin(key)}` };
    const offers = new ChunkOffers(registry);
    const onPeer = (peer: Peer): void => {
      known.name = peer.remote.agent.name;
    };
    const link = new SessionLink({ ...lanes, laneShare, log, agent, token, handlers: offers.handlers, onPeer });
    workers.set(key, { ...context, known, link, offers, provider: new WorkerProvider({ registry, known, link, log }) });
  }
  const all = [...workers.values()];
  const providers = [...inMeshes, ...others, ...all.map(({ provider }) => provider)];
  const close = async (): Promise<void> => {
    await Promise.all([...all.map(({ link }) => link.close()), ...inMeshes.map((provider) => provider.close())]);
  };
  return {
    workers: all,
    pullModel: (ref, pullOptions) => pullFromProviders(context, providers, ref, pullOptions),
    planPull: (ref, planOptions) => planFromProviders(context, providers, ref, planOptions),
    manifest: (digest, asking = {}) => manifestFrom(providers, digest, asking.signal),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** This client takes chunks from a worker that is itself still fetching the model. */
const CAPABILITIES = ['partial'];
