/** The bounds of jobs and of what runners may do, with their reasons. */

/** `runners.json` is written by hand or by `worker runners add`; a hundred runners take 100 KB. */
export const MAX_RUNNERS_FILE_BYTES = 1024 * 1024;
/** Arguments of one runner. A model or an input that stands in one repeats it. */
export const MAX_RUNNER_ARGS = 256;
/** One argument or variable of a runner, before its placeholders are filled. */
export const MAX_RUNNER_ARG_CHARS = 4096;

/** A text that a client sets, when its declaration names no other bound: it stands in one argument. */
export const MAX_SETTING_CHARS = 1024;
/** The pattern of a progress line or setting, as its owner writes it. */
export const MAX_PATTERN_CHARS = 1024;
/** Matching takes time in proportion to the line; progress stands at the start of one, or on a short one. */
export const MAX_PROGRESS_LINE_CHARS = 1024;

/** Jobs of one token that wait or run. A list of 1,000 takes about 1 MB. */
export const MAX_OPEN_JOBS_PER_OWNER = 1_000;
/** The same of all tokens. */
export const MAX_OPEN_JOBS = 5_000;
/** Jobs that run at once, of all runners: how many of one may run, its owner declares. */
export const MAX_RUNNING_JOBS = 8;
/** Of these, one token's: others get their turn. */
export const MAX_RUNNING_JOBS_PER_OWNER = 4;
/** Jobs that have ended and that the worker remembers, of one token: the oldest go first, with their results. */
export const MAX_ENDED_JOBS_PER_OWNER = 1_000;

/** Output of one token's jobs that the worker keeps. Its oldest results make room for a new job. */
export const MAX_KEPT_OUTPUT_BYTES_PER_OWNER = 256 * 1024 ** 3;
/** What one job may write when its runner names no limit: enough for predictions of a day of video, and no whole disk. */
export const DEFAULT_OUTPUT_BYTES = 64 * 1024 ** 3;
/** Files of one job: each is hashed, and sent back by its name. */
export const MAX_OUTPUT_FILES = 100_000;
/** Processes of one job, threads not counted: data loaders start one for each processor. More is a fork bomb. */
export const MAX_PROCESSES = 1_024;
/** A job is stopped when its disk has less than this left: the worker and its registry must still be able to write. */
export const MIN_FREE_BYTES = 64 * 1024 ** 2;

/** Log and events of one job on the disk. Later lines are left out, but for the last ones. */
export const MAX_LOG_BYTES = 64 * 1024 ** 2;
/** What is kept of the lines that are left out: an error's trace stands at the end. */
export const LOG_TAIL_LINES = 1_000;
/** The same in characters. */
export const LOG_TAIL_CHARS = 256 * 1024;
/** Lines that wait to be written. The program waits while there are more. */
export const MAX_UNWRITTEN_LOG_BYTES = 1024 * 1024;
/** Progress is reported this often at most. */
export const PROGRESS_INTERVAL_MS = 1_000;
/** Resource use is reported this often. */
export const USAGE_INTERVAL_MS = 5_000;
/** Text of the events that a reader gets at once: with room around it, they fit into a message of 64 KiB. */
export const EVENT_BATCH_CHARS = 24 * 1024;

/** A job's results are deleted when nobody fetched them for this long, ... */
export const RESULTS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** ... and this long after they were fetched, in case the client lost them. */
export const FETCHED_RESULTS_KEPT_MS = 60 * 60 * 1000;
/** A job that has ended is forgotten after this long, with its log. */
export const ENDED_JOBS_KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Between SIGTERM and SIGKILL: time to write a checkpoint. */
export const KILL_AFTER_MS = 10_000;
/** How often the processes of a job are measured: the memory limit is kept to what one can allocate in this time. */
export const MEASURE_INTERVAL_MS = 500;
/** How often the files of a job are measured: walking 100,000 of them takes about a second. */
export const MEASURE_OUTPUT_INTERVAL_MS = 2_000;

/** A file of the audit log. */
export const MAX_AUDIT_BYTES = 8 * 1024 ** 2;
/** Files of the audit log that are kept: some 200,000 lines. */
export const AUDIT_FILES = 8;
