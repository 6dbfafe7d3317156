import type { Digest, Manifest, Result } from '@model-rtc/protocol';
import type { KnownWorker } from '@model-rtc/registry';
import type { LaneInfo } from '@model-rtc/transport';
import { type ListedModels, type ListOptions, listAndRemember } from './list-models.ts';
import { type ConnectOptions, openWorker } from './open-worker.ts';
import { type ModelPlan, type PlanPullOptions, type PullPlan, planPullFrom, planPush } from './plan-transfer.ts';
import { type PullModelOptions, type PullModelResult, pullModelFrom } from './pull-model.ts';
import { type PushModelOptions, type PushModelResult, pushModel } from './push-model.ts';
import { type RepairModelOptions, type RepairModelResult, repairModel } from './repair-model.ts';
import { checkAtWorker, modelInfo, type WorkerModelInfo } from './resolve-reference.ts';
import { type SyncResult, syncWorker } from './sync.ts';
import { fetchManifest } from './worker-provider.ts';

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
  /** What `pullModel` would fetch; nothing is stored. */
  planPull(ref: string, options?: PlanPullOptions): Promise<PullPlan>;
  pushModel(ref: string, options?: PushModelOptions): Promise<PushModelResult>;
  /** What `pushModel` would send; nothing is stored on either side. A worker before version 1.2 cannot tell. */
  planPush(ref: string, options?: Pick<PushModelOptions, 'signal' | 'onProgress'>): Promise<ModelPlan>;
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
  const { services, close } = openWorker(options);
  const { known, link, registry } = services;
  try {
    await link.peer(options.signal);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    workerName: known.name,
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
    pullModel: (ref, pullOptions) => pullModelFrom([services], ref, pullOptions),
    planPull: (ref, planOptions) => planPullFrom([services], ref, planOptions),
    pushModel: (ref, pushOptions = {}) => pushModel(services, ref, pushOptions),
    planPush: (ref, planOptions) => planPush(services, ref, planOptions),
    repairModel: (ref, repairOptions = {}) => repairModel(services, ref, repairOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}
