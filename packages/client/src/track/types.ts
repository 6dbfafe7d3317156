import type { Digest, Job, JobEvent, JobState, ModelEntry, RunnerSummary, Settings } from '@model-rtc/protocol';
import type { FileSet } from '@model-rtc/registry';
import type { FetchedResults, FetchResultsOptions, ResultsTarget } from '../data/types.ts';
import type { OnModelProgress } from '../progress.ts';
import type { SpeedOptions } from '../transfer-speed.ts';

/** A model that a job runs. */
export interface JobModel {
  readonly entry: ModelEntry;
  readonly digest: Digest;
  /** Whose name the reference is: this machine's or the worker's; or a path that was imported for this job. */
  readonly namedBy: 'here' | 'worker' | 'import';
  /** The id of another model, which the reference names at the worker. */
  readonly otherThere?: string | undefined;
}

export interface WorkOptions extends Pick<SpeedOptions, 'maxReconnectMs'> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

export interface TrackOptions extends WorkOptions, SpeedOptions {
  /** In the order in which the runner gets them: ids, aliases, digest prefixes or paths. */
  readonly models: readonly string[];
  /** Files and folders of this machine. */
  readonly data: readonly string[];
  /** The one that accepts the models when left out. */
  readonly runner?: string | undefined;
  readonly settings?: Settings | undefined;
  /** An interrupted training of the worker to resume, instead of models. */
  readonly resume?: string | undefined;
  /** Take the worker's own models of these names. */
  readonly remote?: boolean | undefined;
  /** Refuse to send models that the worker does not have. */
  readonly noPush?: boolean | undefined;
  /** Run it even if the same job was run before. */
  readonly again?: boolean | undefined;
  /** Called with each model in order, before anything is sent. */
  readonly onModel?: ((model: JobModel) => void) | undefined;
  /** Called with each file or folder of data in order, once it is hashed: it says what of it does not travel. */
  readonly onData?: ((set: FileSet) => void) | undefined;
}

export interface SubmittedJob {
  readonly job: Job;
  /** `found`: the same job was there already. */
  readonly outcome: 'queued' | 'found';
  readonly models: readonly JobModel[];
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
  /**
   * Finds the models, brings the worker the models and data that it lacks, and puts the job into its queue.
   *
   * @throws ModelRtcError `not_found` for a model that neither side knows; `refused` for one that may not be pushed, or that
   * runs code; `bad_argument` for a runner or setting that the worker does not have; `busy` at a limit of the session
   */
  submit(options: TrackOptions): Promise<SubmittedJob>;
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
  /**
   * Brings the results of a job here, verified, whole or not at all. What an earlier attempt fetched is not fetched again.
   *
   * @param target - where they go; a function gets what came, and decides by it
   * @throws ModelRtcError `not_found` when there are none (any more); `refused` when something else is there, without `force`
   */
  fetchResults(id: string, target: ResultsTarget, options?: FetchResultsOptions): Promise<FetchedResults>;
  /** Asks the worker to end a job. @returns the job as it is at that moment: its processes may take 10 s to end */
  cancel(id: string, options?: WorkOptions): Promise<Job>;
}
