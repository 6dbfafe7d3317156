import { findPresets, type Jobs, type JobsLimits, openJobs } from '@model-rtc/jobs';
import { type Clock, type Digest, type Log, systemClock } from '@model-rtc/protocol';
import type { DataLimits, DataUsage, Registry } from '@model-rtc/registry';
import { openWorkerData } from './data/worker-data.ts';
import type { JobServices } from './handlers/jobs/types.ts';
import type { HandlerOptions } from './handlers/types.ts';
import type { SessionStore } from './sessions/session-store.ts';

/** How a worker runs jobs. */
export interface WorkerJobsOptions {
  /** The environment of this process: runners get a few variables of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<JobsLimits> | undefined;
  /** How much data is kept for jobs, and for how long. */
  readonly data?: Partial<DataLimits> | undefined;
}

interface OpenOptions extends WorkerJobsOptions {
  readonly registry: Registry;
  readonly sessions: Pick<SessionStore, 'list'>;
  /** Limits on all transfers of the worker together. */
  readonly transferLimits: HandlerOptions['limits'];
  readonly log: Log;
  readonly now?: (() => Date) | undefined;
  readonly clock?: Clock | undefined;
}

/** How often the models of open jobs are looked for; a model counts as in use for longer than this after it was submitted. */
const HOLD_INTERVAL_MS = 2_000;
/** How often the jobs of revoked sessions are looked for. */
const REVOKED_INTERVAL_MS = 2_000;

export interface WorkerJobs extends JobServices {
  /** How much data is kept for jobs. */
  dataUsage(): DataUsage;
  close(): Promise<void>;
}

/**
 * Opens the jobs of a worker and the data that they read. Jobs of an earlier process that were queued run.
 * @throws ModelRtcError `storage`
 */
export async function openWorkerJobs(options: OpenOptions): Promise<WorkerJobs> {
  const { registry, sessions, transferLimits, log, now, clock = systemClock } = options;
  let opened: Jobs | undefined;
  const needed = (): ReadonlySet<Digest> => opened?.neededData() ?? new Set();
  const data = await openWorkerData({ registry, log, limits: transferLimits, keep: options.data, needed });
  const jobs = await openJobs({
    ...{ root: registry.paths.root, dataSets: data.dataSets, limits: options.limits, env: options.env },
    presets: () => findPresets(options.env),
    results: { keep: (output, notes, keeping) => registry.keepResults(output, notes, keeping) },
    ...{ clock, now, log },
  }).catch(async (error: unknown) => {
    await data.close();
    throw error;
  });
  opened = jobs;
  // Only now is it known what jobs need.
  data.tidy().catch((error: unknown) => log.warn({ err: error }, 'old data of jobs could not be removed'));
  const stop = cancelRevoked(jobs, sessions, { clock, log });
  const holding = holdModels(jobs, registry, { clock, log });
  return {
    ...{ jobs, data: data.reception, results: registry },
    dataUsage: () => data.usage(),
    async close() {
      stop();
      await jobs.close();
      await holding.end();
      await data.close();
    },
  };
}

/** Cancels the jobs of sessions that were revoked, even before this process started. @returns how to stop */
function cancelRevoked(
  jobs: Pick<Jobs, 'cancelAll'>,
  sessions: Pick<SessionStore, 'list'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => void {
  const done = new Set<string>();
  const look = async (): Promise<void> => {
    const revoked = sessions.list().filter(({ keyId, status }) => status === 'revoked' && !done.has(keyId));
    for (const { keyId } of revoked) {
      // No request of a revoked session is answered, so no further job comes.
      done.add(keyId);
      await jobs.cancelAll(keyId);
    }
  };
  const lookAgain = (): void => {
    look().catch((error: unknown) => log.warn({ err: error }, 'the jobs of revoked sessions could not be cancelled'));
  };
  lookAgain();
  return clock.every(REVOKED_INTERVAL_MS, lookAgain);
}

/** Keeps the models that jobs wait for or run from being removed to make room. */
function holdModels(
  jobs: Pick<Jobs, 'neededModels'>,
  registry: Pick<Registry, 'holdModel'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): { end(): Promise<void> } {
  const held = new Map<Digest, () => Promise<void>>();
  const settle = async (needed: ReadonlySet<Digest>): Promise<void> => {
    for (const digest of needed) if (!held.has(digest)) held.set(digest, await registry.holdModel(digest));
    for (const [digest, release] of held) {
      if (needed.has(digest)) continue;
      held.delete(digest);
      await release();
    }
  };
  let turn = Promise.resolve();
  const look = (needed: ReadonlySet<Digest>): void => {
    turn = turn
      .then(() => settle(needed))
      .catch((error: unknown) => log.warn({ err: error }, 'the models of jobs could not be marked as in use'));
  };
  look(jobs.neededModels());
  const stop = clock.every(HOLD_INTERVAL_MS, () => look(jobs.neededModels()));
  return {
    async end() {
      stop();
      look(new Set());
      await turn;
    },
  };
}
