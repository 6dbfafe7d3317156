/** Every bound of a transfer, with its reason. */

/** The most that one source may be asked for ahead: 16 MiB keep 1 Gbit/s busy over a round trip of 130 ms. */
export const SOURCE_WINDOW_BYTES = 16 * 1024 * 1024;
/** What a source is asked for before anything is measured: four chunks, so that a fast connection is fast from the start. */
export const START_WINDOW_BYTES = 4 * 1024 * 1024;
/** The smallest window, however slow the source: with less, tiny chunks would be asked for one at a time. */
export const MIN_WINDOW_BYTES = 512 * 1024;
/** A window covers two round trips and this time, so that a busy machine, its disk and its event loop do not drain it. */
export const WINDOW_SLACK_MS = 300;
/** The window follows the best rate of the last one to two of these times. */
export const RATE_SPAN_MS = 2_000;
/** All windows together: the most memory of chunks that are coming. 32 lanes get a chunk of 1 MiB each and half of the next. */
export const ALL_WINDOWS_BYTES = 48 * 1024 * 1024;
/** The largest request: a quarter of the largest window, so that others are in flight while one is answered. */
export const REQUEST_BYTES = 4 * 1024 * 1024;
/** Requests that share a window: a slow source is asked for single chunks, so that they can be cancelled one by one. */
export const REQUESTS_PER_WINDOW = 4;
/** A source that does not have a chunk yet is asked for it again after this time, ... */
export const ASK_AGAIN_MS = 1_000;
/** ... and after as long as it had nothing at all to give, up to this: a source that never will is not asked twice a second. */
export const LONGEST_ASK_AGAIN_MS = 5_000;
/** A second source is asked for a chunk when it is expected to need less than this part of the first one's time. */
export const ENDGAME_GAIN = 0.8;
/** A source that has all, and that many ask at once, is not asked for a second copy of a chunk when it needs this long for one. */
export const SPARED_AFTER_MS = 1_000;
/** How long a chunk is expected to take from a source that was not measured yet. */
export const UNKNOWN_SOURCE_MS = 1_000;
/** How many chunks that this source cannot be asked for now are passed over before the request is put off. */
export const MAX_PASSED_OVER = 4096;
/** How many chunks are looked at for the rarest one that a source may be asked for. */
export const MAX_LOOKED_AT = 1024;
/** What a source that has all is asked for at once while others give parts: one chunk, so that it can be called back alone. */
export const SHARED_REQUEST_BYTES = 1024 * 1024;
/**
 * All lanes to it together are asked ahead for what they bring in this time, two chunks at least: what many receivers ask of a slow
 * sender at once comes to all of them late, and none can pass it on.
 */
export const SHARED_AHEAD_MS = 2_000;
/** A peer is asked again what it has this long after the lane was lost that told it. */
export const FOLLOW_AGAIN_MS = 1_000;
/** The smallest buffer: tiny chunks must not take more memory than they count for in a window. */
export const MIN_BUFFER_BYTES = 16 * 1024;
/** Gaps that pieces out of order may leave in a chunk; an honest lane leaves none. */
export const MAX_GAPS = 64;

/** How often a chunk that came wrong is asked for again. */
export const MAX_REFETCHES = 3;
/** After this many wrong chunks their sender is no longer asked, if there is anyone else. */
export const MAX_WRONG_CHUNKS = 3;
/**
 * A file whose ranges have no digests is given up when it came wrong so often: once from several origins at a time, then from
 * one at a time. More origins than this that all lie are met by nobody.
 */
export const MAX_FILE_TRIALS = 10;
/** How often files may turn out wrong on the disk after they were written right; then the disk cannot be trusted. */
export const MAX_REWRITES = 3;

/** A source that gave no right chunk for this long is reported and dropped, so that its lane can be replaced. */
export const SOURCE_STALL_MS = 10_000;
/**
 * A source on a slow link is not stalled while its origin delivers at least this much in that time over all its lanes, which
 * share the sender's rate limit. The slowest modems bring more.
 */
export const SLOW_ORIGIN_BYTES = 4 * 1024;
/** Without a right chunk from any source, the user is warned after the first time, and the transfer given up after the second. */
export const STALL_WARNING_MS = 30_000;
export const STALL_ABORT_MS = 120_000;
/** The same while bytes come, but no chunk is whole: the longest chunk needs almost as long at 5 kB/s. */
export const SLOW_ABORT_MS = 900_000;

/** Progress is reported at most once in the shorter time, and at least once in the longer one. */
export const PROGRESS_INTERVAL_MS = 100;
export const PROGRESS_HEARTBEAT_MS = 1_000;
/** The time over which the displayed rate is averaged. */
export const RATE_WINDOW_MS = 5_000;

/** Space that must be free besides the bytes to be written, for the journal, the manifest and the file system itself. */
export const FREE_SPACE_MARGIN_BYTES = 16 * 1024 * 1024;
/** What each file takes besides its bytes: its inode and a block that is not full. */
export const FILE_OVERHEAD_BYTES = 4 * 1024;

/** After this many written bytes the system is asked to sync them to the disk, while the transfer goes on. */
export const WRITE_BEHIND_BYTES = 32 * 1024 * 1024;

/** Files that are open for writing at once; a process can usually open 1024, and 256 on macOS. */
export const MAX_OPEN_FILES = 64;
/** Files that are flushed at once at the end: the file system combines such flushes. */
export const FLUSH_CONCURRENCY = 16;

/** A journal of the longest manifest has 16 bytes for each chunk; a longer one was not written by us. */
export const MAX_JOURNAL_BYTES = 32 * 1024 * 1024;
/** The largest manifest beside staged files that is read. */
export const MAX_STAGED_MANIFEST_BYTES = 64 * 1024 * 1024;
/** The largest entry beside staged files: notes, metrics and tags at their longest. */
export const MAX_STAGED_ENTRY_BYTES = 4 * 1024 * 1024;
/** Smaller files (configurations, vocabularies) are copied: people edit them in place, and the disk has room for them. */
export const MIN_SHARED_FILE_BYTES = 1024 * 1024;
/** The journal of a model that is still being fetched is looked at again at most this often, ... */
export const REREAD_JOURNAL_MS = 50;
/** ... and the model counts as being fetched if its lock was written to within this time: several heartbeats of its holder. */
export const RUNNING_LOCK_MS = 60_000;
/** How many staging folders of other models are searched for chunks. */
export const MAX_STAGED_NEIGHBOURS = 16;

/** Chunks in memory at once to serve one lane: one is sent while the next is read. */
export const BUFFERS_PER_LANE = 2;
/** While this many buffers of all lanes are in use, each lane gets one at a time. */
export const MANY_SERVE_BUFFERS = 16;
/** Buffers that are kept for the next request of any lane, 8 MiB in all; others are left to the garbage collector. */
export const MAX_IDLE_SERVE_BUFFERS = 8;
/** Models that stay open for reading after the last request for them, and for how long. */
export const MAX_IDLE_READERS = 4;
export const IDLE_READER_MS = 10_000;

/** Requests to one source that may stay unanswered after all their chunks came; an honest answer follows the last chunk. */
export const MAX_UNANSWERED_REQUESTS = 16;

/** How much is sent at once when the rate is limited: sixteen steps a second at 1 MB/s. */
export const LIMITED_STEP_BYTES = 64 * 1024;

/** While many fetch one model, a chunk that one of them just got is not sent to the others for this long: they can have it from that one. */
export const SPREAD_MS = 2_000;
/** Where a chunk took longer than that to send, they are given as long, up to this: sending it again would take the time anyway. */
export const LONGEST_SPREAD_MS = 20_000;
/** A chunk that was sent in less than this goes to others at once as well: sending it again takes no longer than waiting for another node. */
export const QUICK_COPY_MS = 500;
/** Chunks from this length on tell whether a sender is quick. */
export const MIN_TELLING_BYTES = 256 * 1024;
/** While chunks are sent that nobody got from here before, others are not sent a second time for this long after the first. */
export const FIRSTS_FIRST_MS = 60_000;
/** A chunk whose receiver took nothing of it for this long goes to the others as well: that one may never take it. */
export const FIRST_COPY_MS = 30_000;
/** Chunks that are being sent to one of many or were sent lately that are remembered, over all models. */
export const MAX_COPIED_CHUNKS = 4096;
