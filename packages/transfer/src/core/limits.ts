/** Every bound of a transfer, with its reason. */

/** What one source may be asked for ahead at most: 16 MiB keep 1 Gbit/s busy over a round trip of 130 ms. */
export const SOURCE_WINDOW_BYTES = 16 * 1024 * 1024;
/** What one is asked for before anything was measured: four chunks, so that one connection that is fast is so at once. */
export const START_WINDOW_BYTES = 4 * 1024 * 1024;
/** No window is smaller, however slow the source: less would be asked for one tiny chunk at a time. */
export const MIN_WINDOW_BYTES = 512 * 1024;
/** A window covers this time besides two round trips: a busy machine, the batches of its disk and its event loop do not drain it. */
export const WINDOW_SLACK_MS = 300;
/** The best rate of the last one to two such times counts for the window. */
export const RATE_SPAN_MS = 2_000;
/** All windows together: the most memory that chunks on their way take. 32 lanes have a chunk of 1 MiB each and half of the next. */
export const ALL_WINDOWS_BYTES = 48 * 1024 * 1024;
/** The largest request: a quarter of the largest window, so that others are in flight while one is answered. */
export const REQUEST_BYTES = 4 * 1024 * 1024;
/** Requests that share a window: a slow source is asked for single chunks, which can be called back one by one. */
export const REQUESTS_PER_WINDOW = 4;
/** A source that does not have a chunk yet is asked for it again after this time. */
export const ASK_AGAIN_MS = 1_000;
/** A chunk is asked of a second source when that one is expected to need less than this part of the first one's time. */
export const ENDGAME_GAIN = 0.8;
/** The time that a chunk is expected to take from a source that was not measured yet. */
export const UNKNOWN_SOURCE_MS = 1_000;
/** Chunks that are passed over, as not to be asked of this source now, before a request is given up for the moment. */
export const MAX_PASSED_OVER = 4096;
/** The smallest buffer; many tiny chunks must not take less of a window than they take of memory. */
export const MIN_BUFFER_BYTES = 16 * 1024;
/** Gaps that pieces out of order may leave in one chunk; an honest lane leaves none. */
export const MAX_GAPS = 64;

/** A chunk that came wrong is asked for again this many times. */
export const MAX_REFETCHES = 3;
/** Chunks with wrong bytes after which nothing more is asked of whoever sent them, when there is anyone else. */
export const MAX_WRONG_CHUNKS = 3;
/**
 * A file whose ranges have no digests is given up when it came wrong so often: once from several origins at a time, then from
 * one at a time. More origins than this that all lie are met by nobody.
 */
export const MAX_FILE_TRIALS = 10;
/** Times that the files on disk may turn out wrong after they were written right; then the disk is not to be trusted. */
export const MAX_REWRITES = 3;

/** A source that gave no right chunk for this long is told and dropped, so that its lane can be replaced. */
export const SOURCE_STALL_MS = 10_000;
/**
 * Sources on a slow link are not stalled while their origin delivers at least this much in that time, over all its lanes: a
 * sender's rate limit is shared by them. One step of a limited sender; what is slower than that brings no chunk of 1 MiB in
 * STALL_ABORT_MS.
 */
export const SLOW_ORIGIN_BYTES = 64 * 1024;
/** No right chunk from any source: the user is warned, then the transfer is given up with its state kept. */
export const STALL_WARNING_MS = 30_000;
export const STALL_ABORT_MS = 120_000;

/** Progress is told at most this often, and at least once in the longer time. */
export const PROGRESS_INTERVAL_MS = 100;
export const PROGRESS_HEARTBEAT_MS = 1_000;
/** The time over which the rate is smoothed. */
export const RATE_WINDOW_MS = 5_000;

/** Space that must stay free besides the bytes to be written: the journal, the manifest and the file system's own needs. */
export const FREE_SPACE_MARGIN_BYTES = 16 * 1024 * 1024;
/** What each file takes besides its bytes: a block that is not full and its inode. */
export const FILE_OVERHEAD_BYTES = 4 * 1024;

/** Written bytes after which the system is asked to bring them to the disk itself, while the transfer goes on. */
export const WRITE_BEHIND_BYTES = 32 * 1024 * 1024;

/** Files that are open for writing at once; the usual limit of a process is 1024, and 256 on macOS. */
export const MAX_OPEN_FILES = 64;
/** Files that are flushed at once at the end: the file system joins such flushes into one. */
export const FLUSH_CONCURRENCY = 16;

/** A journal of the longest manifest has 16 bytes for each chunk; a longer one was not written by us. */
export const MAX_JOURNAL_BYTES = 32 * 1024 * 1024;
/** A manifest beside the staged files of another model. */
export const MAX_STAGED_MANIFEST_BYTES = 64 * 1024 * 1024;
/** The entry beside staged files: notes, metrics and tags at their longest. */
export const MAX_STAGED_ENTRY_BYTES = 4 * 1024 * 1024;
/** Smaller files (configurations, vocabularies) are copied: people edit them in place, and the disk has room for them. */
export const MIN_SHARED_FILE_BYTES = 1024 * 1024;
/** A model that is still fetched: its journal is read again at most this often, ... */
export const REREAD_JOURNAL_MS = 200;
/** ... and it counts as being fetched while its lock was written to within this time: several heartbeats of its holder. */
export const RUNNING_LOCK_MS = 60_000;
/** Other models' staging folders that are looked into for chunks. */
export const MAX_STAGED_NEIGHBOURS = 16;

/** Chunks of one lane that are in memory at once to be served: one is sent while the next one is read. */
export const BUFFERS_PER_LANE = 2;
/** While so many buffers of all lanes are in use, a lane has one at a time. */
export const MANY_SERVE_BUFFERS = 16;
/** Buffers that are kept for the next request of any lane, 8 MiB; the others are left to the garbage collector. */
export const MAX_IDLE_SERVE_BUFFERS = 8;
/** Models that stay open for reading after the last request for them, and for how long. */
export const MAX_IDLE_READERS = 4;
export const IDLE_READER_MS = 10_000;

/** Requests of one source that are not answered though all of their chunks came; an honest answer is right behind the last. */
export const MAX_UNANSWERED_REQUESTS = 16;

/** What is sent at once where the rate is limited: at 1 MB/s sixteen steps a second. */
export const LIMITED_STEP_BYTES = 64 * 1024;
