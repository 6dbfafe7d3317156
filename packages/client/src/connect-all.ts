import type { SessionToken } from '@model-rtc/protocol';
import { type ConnectOptions, openWorker } from './open-worker.ts';
import { type PlanPullOptions, type PullPlan, planPullFrom } from './plan-transfer.ts';
import { type PullModelOptions, type PullModelResult, pullModelFrom } from './pull-model.ts';
import type { RemoteWorker } from './remote-worker.ts';

export interface ConnectAllOptions extends Omit<ConnectOptions, 'session' | 'name' | 'signal'> {
  /** The workers, in the order in which they decide what a name means. Of two sessions of one worker the first is used. */
  readonly sessions: readonly { readonly session: string | SessionToken; readonly name?: string | undefined }[];
}

/** Several workers that one model is taken from at once. Each is connected to when it is first needed. */
export interface WorkerGroup extends AsyncDisposable {
  readonly workers: readonly RemoteWorker[];
  pullModel(ref: string, options?: PullModelOptions): Promise<PullModelResult>;
  /** What `pullModel` would fetch; nothing is stored. */
  planPull(ref: string, options?: PlanPullOptions): Promise<PullPlan>;
  close(): Promise<void>;
}

/**
 * Opens the ways to several workers. None of them has to be there yet: one that cannot be reached is left out while it is
 * away.
 *
 * @throws ModelRtcError `bad_argument` for a session that is none
 */
export function connectAll({ sessions, ...options }: ConnectAllOptions): WorkerGroup {
  const opened = sessions.map((session) => openWorker({ ...options, ...session }));
  const byKey = new Map(opened.toReversed().map((worker) => [worker.services.known.key, worker]));
  const workers = opened.filter((worker) => byKey.get(worker.services.known.key) === worker).map((one) => one.services);
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((worker) => worker.close()));
  };
  return {
    workers,
    pullModel: (ref, pullOptions) => pullModelFrom(workers, ref, pullOptions),
    planPull: (ref, planOptions) => planPullFrom(workers, ref, planOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}
