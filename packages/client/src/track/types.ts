import type { Job, JobEvent, JobState, RunnerSummary } from '@model-rtc/protocol';
import type { OnModelProgress } from '../progress.ts';

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

export interface FollowOptions extends WorkOptions {
  /** The number of the first event that is wanted; 1 when left out. */
  readonly fromEvent?: number | undefined;
  /** False: the events that there are now, and no more. */
  readonly wait?: boolean | undefined;
  readonly onEvents?: ((events: readonly JobEvent[]) => void) | undefined;
  /** Called with the job's place in the queue whenever that changes. */
  readonly onPosition?: ((position: number) => void) | undefined;
}

export interface ListJobsOptions {
  readonly states?: readonly JobState[] | undefined;
  /** At most this many; all of them when left out. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The jobs of this session at one worker. */
export interface WorkerJobs {
  /** @throws ModelRtcError `protocol_mismatch` when the worker's version runs no jobs; so do all others here */
  runners(options?: WorkOptions): Promise<RunnerSummary[]>;
  /** The newest first. */
  list(options?: ListJobsOptions): Promise<{ readonly jobs: Job[]; readonly total: number }>;
  /**
   * @param ref - the job's id, or the start of it
   * @throws ModelRtcError `not_found`, `ambiguous`
   */
  find(ref: string, options?: WorkOptions): Promise<Job>;
  /** The only job that has not ended, else the newest. @throws ModelRtcError `not_found` when there is none, `ambiguous` */
  latest(options?: WorkOptions): Promise<Job>;
  /**
   * Tells what happens to a job, over as many connections as it takes, until it has ended. Every event comes once, in order.
   * @returns the job as it is then
   */
  follow(id: string, options?: FollowOptions): Promise<Job>;
  /** Asks the worker to end a job. @returns the job as it is at that moment: its processes may take 10 s to end */
  cancel(id: string, options?: WorkOptions): Promise<Job>;
}
