import type {
  Clock,
  Digest,
  Job,
  JobData,
  JobEvent,
  JobState,
  Log,
  RunnerSummary,
  SubmitJobParams,
} from '@model-rtc/protocol';
import type { Runner } from './runners/runner-schema.ts';

/** Who submitted a job: the key id of a session token. An owner sees and changes its own jobs alone. */
export type Owner = string;

/** Runs models by the runners of this machine's owner. Knows nothing of peers. */
export interface Jobs extends AsyncDisposable {
  /** The runners, those of the owner before those that were found on the machine; with whether each can run. */
  runners(): Promise<readonly RunnerSummary[]>;
  /**
   * Puts a job into the queue, or finds the same one: same owner, models, data, runner and settings, unless that one failed, was
   * cancelled or lost, or its results are gone.
   *
   * @throws ModelRtcError `not_found` for a model, data set or runner that is not here; `ambiguous` when several runners would do;
   * `bad_argument` for a setting that the runner does not take; `refused` for a model that runs code; `busy` at a limit
   */
  submit(request: JobRequest): Promise<Submitted>;
  /** The owner's jobs, the newest first. */
  list(owner: Owner, options?: ListOptions): Promise<JobPage>;
  /** @throws ModelRtcError `not_found` */
  get(owner: Owner, id: string): Promise<Job>;
  /**
   * The job's events in order, several at once, from a number on; then those that come, until the job has ended. A slow reader
   * costs no memory: events are read from the job's log.
   * @throws ModelRtcError `not_found`, `cancelled` by the signal
   */
  events(owner: Owner, id: string, options?: EventsOptions): AsyncIterable<readonly JobEvent[]>;
  /**
   * Ends a job: SIGTERM to all of its processes, and SIGKILL to those that are left after 10 s. Does nothing to one that has ended.
   * Resolves at once; the events tell when it has ended.
   * @throws ModelRtcError `not_found`
   */
  cancel(owner: Owner, id: string): Promise<Job>;
  /** The same for all jobs of an owner, whose token was revoked. */
  cancelAll(owner: Owner): Promise<void>;
  /**
   * The folder with the notes that `ResultsPort.keep` made.
   * @throws ModelRtcError `not_found` for a job without results, or whose results are deleted
   */
  resultsFolder(owner: Owner, id: string): Promise<string>;
  /** Notes that the owner has the results, so that they go sooner. */
  fetched(owner: Owner, id: string): Promise<void>;
  /** The data that jobs still need. */
  neededData(): ReadonlySet<Digest>;
  /** The models that they run. */
  neededModels(): ReadonlySet<Digest>;
  /** Ends the running jobs, which are then `lost`; queued ones run when the jobs are opened again. */
  close(): Promise<void>;
}

export interface Submitted {
  readonly job: Job;
  readonly outcome: 'queued' | 'found';
}

export interface ListOptions {
  readonly states?: readonly JobState[] | undefined;
  /** The `nextCursor` of the previous page. */
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  readonly nextCursor: string | undefined;
  /** All that match, even beyond the page. */
  readonly total: number;
}

export interface EventsOptions {
  /** The number of the first event; 1 when left out. */
  readonly fromEvent?: number | undefined;
  /** False: the events that there are now, and no more. */
  readonly wait?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenJobsOptions {
  /** The data folder: jobs lie in its `jobs/`, the owner's runners in its `runners.json`. */
  readonly root: string;
  readonly dataSets: DataSets;
  readonly results: ResultsPort;
  /** The runners that are found on this machine, beside those that its owner declared; those that we know when left out. */
  readonly presets?: ((env: OpenJobsOptions['env']) => Promise<readonly FoundRunner[]>) | undefined;
  readonly limits?: Partial<JobsLimits> | undefined;
  /** Folders that a confined job must not see, beside `root` and where people keep keys. */
  readonly hidden?: readonly string[] | undefined;
  /** The environment of this process: jobs get a few variables of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock | undefined;
  /** The time of day. */
  readonly now?: (() => Date) | undefined;
  readonly log?: Log | undefined;
}

/** The data on this machine that jobs may read. */
export interface DataSets {
  /** Undefined when it is not here, or the owner never sent it. */
  find(digest: Digest, owner: Owner): Promise<DataSet | undefined>;
  /**
   * Makes a file or folder of the data's content at a path, read-only. A job that changes it changes nothing else.
   * @throws ModelRtcError `not_found`, `storage`
   */
  place(data: JobData, path: string, options: { readonly signal: AbortSignal }): Promise<void>;
}

export interface DataSet {
  readonly manifest: { readonly files: readonly { readonly path: string }[] };
  readonly bytes: number;
}

/** Makes what a job wrote something that a client can fetch and verify. */
export interface ResultsPort {
  /**
   * Hashes everything in a folder, and keeps what it found in another one.
   * @returns undefined when nothing is there
   */
  keep(
    outputFolder: string,
    notesFolder: string,
    options: { readonly signal: AbortSignal },
  ): Promise<KeptResults | undefined>;
}

export interface KeptResults extends Omit<NonNullable<Job['results']>, 'expiresAt'> {
  /** What cannot be sent, such as links and pipes. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
}

/** A program that was found on this machine, and whether it can run. */
export interface FoundRunner {
  readonly runner: Runner;
  readonly usable: boolean;
  /** Why it is not, as a sentence that says what to do. */
  readonly reason: string | undefined;
}

/** A model of this machine, as a job needs to know it. */
export interface JobModel {
  /** Undefined for a training that is not complete. */
  readonly digest: Digest | undefined;
  readonly id: string;
  readonly alias: string | undefined;
  readonly modelType: string;
  readonly framework: string | undefined;
  /** Absolute. */
  readonly folder: string;
  /** Its main file, absolute. */
  readonly checkpoint: string | undefined;
  /** Its configuration, absolute. */
  readonly config: string | undefined;
  /** Files that run code when they are loaded; undefined when nobody examined it. */
  readonly codeFiles: readonly { readonly path: string }[] | undefined;
}

/** A job as a client wants it, with the models that it named. */
export interface JobRequest extends Pick<SubmitJobParams, 'data' | 'runner' | 'settings' | 'again'> {
  readonly owner: Owner;
  /** In the order in which the runner gets them. */
  readonly models: readonly JobModel[];
  /** An interrupted training to resume, instead of models. */
  readonly resume?: JobModel | undefined;
}

/** What the worker's owner may change. */
export interface JobsLimits {
  /** Jobs of all runners that run at once. */
  readonly maxRunning: number;
  /** Jobs of one token that run at once. */
  readonly maxRunningPerOwner: number;
  /** Jobs of one token that wait or run. */
  readonly maxOpenPerOwner: number;
  /** Jobs of all tokens that wait or run. */
  readonly maxOpen: number;
  /** How long one token's jobs may run within 24 hours, in milliseconds; undefined for no limit. */
  readonly maxRunMsPerOwnerAndDay: number | undefined;
  /** Output of one token's jobs that is kept. */
  readonly maxKeptOutputBytesPerOwner: number;
  /** How long results are kept that nobody fetches. */
  readonly resultsKeptMs: number;
  readonly fetchedResultsKeptMs: number;
  readonly endedJobsKeptMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly killAfterMs: number;
  readonly maxLogBytes: number;
}
