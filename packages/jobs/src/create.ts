import { silentLog, systemClock } from '@model-rtc/protocol';
import { AuditLog } from './audit/audit-log.ts';
import { JobService } from './job-service.ts';
import {
  ENDED_JOBS_KEPT_MS,
  FETCHED_RESULTS_KEPT_MS,
  KILL_AFTER_MS,
  MAX_KEPT_OUTPUT_BYTES_PER_OWNER,
  MAX_LOG_BYTES,
  MAX_OPEN_JOBS,
  MAX_OPEN_JOBS_PER_OWNER,
  MAX_RUNNING_JOBS,
  MAX_RUNNING_JOBS_PER_OWNER,
  RESULTS_KEPT_MS,
} from './limits.ts';
import { findPresets } from './presets/presets.ts';
import { findTools } from './process/find-tools.ts';
import { linuxTable } from './process/linux-table.ts';
import { psTable } from './process/ps-table.ts';
import type { RunContext } from './run/types.ts';
import { KnownRunners } from './runners/known-runners.ts';
import { RunnerStore } from './runners/runner-store.ts';
import { JobBook } from './store/job-book.ts';
import { jobsPaths } from './store/job-paths.ts';
import type { Jobs, JobsLimits, OpenJobsOptions } from './types.ts';

const DEFAULT_LIMITS: JobsLimits = {
  maxRunning: MAX_RUNNING_JOBS,
  maxRunningPerOwner: MAX_RUNNING_JOBS_PER_OWNER,
  maxOpenPerOwner: MAX_OPEN_JOBS_PER_OWNER,
  maxOpen: MAX_OPEN_JOBS,
  maxRunMsPerOwnerAndDay: undefined,
  maxKeptOutputBytesPerOwner: MAX_KEPT_OUTPUT_BYTES_PER_OWNER,
  resultsKeptMs: RESULTS_KEPT_MS,
  fetchedResultsKeptMs: FETCHED_RESULTS_KEPT_MS,
  endedJobsKeptMs: ENDED_JOBS_KEPT_MS,
  killAfterMs: KILL_AFTER_MS,
  maxLogBytes: MAX_LOG_BYTES,
};

/**
 * Opens the jobs of a machine, and goes on with those of an earlier process: one that had waited runs, one that had run is
 * `lost`, with what is left of it ended. Only one process may have them open; the worker's lock sees to that.
 *
 * @throws ModelRtcError `storage`
 */
export async function openJobs(options: OpenJobsOptions): Promise<Jobs> {
  const { root, dataSets, results, env, clock = systemClock, now = () => new Date(), log = silentLog } = options;
  const { hidden = [] } = options;
  const paths = jobsPaths(root);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const book = await JobBook.open(paths, { maxBytes: limits.maxLogBytes, now, log });
  const tools = await findTools(env);
  const { presets = findPresets } = options;
  const findAll = async () => {
    return await presets(env).catch((error) => {
      log.warn({ error }, 'the runners of this machine cannot be looked for');
      return [];
    });
  };
  const runners = new KnownRunners(new RunnerStore(root), findAll, tools, env);
  const context: RunContext = {
    ...{ root, hidden, dataSets, results, limits, env, clock, now, log, tools },
    audit: new AuditLog(paths.audit, now, log),
    table: process.platform === 'linux' ? linuxTable : psTable,
    runner: (name) => runners.get(name),
  };
  const service = new JobService(book, runners, context);
  service.start();
  return service;
}
