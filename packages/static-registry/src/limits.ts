/** Every bound of reading a static registry, with its reason. */

/** A list of 100,000 versions takes about 15 MB. */
export const MAX_LIST_BYTES = 64 * 1024 * 1024;
/** A manifest of 380,000 chunks takes 26 MB, and one of 200,000 files with long paths about as much. */
export const MAX_STATIC_MANIFEST_BYTES = 64 * 1024 * 1024;
/** The longest name of a group, model or version. Folders and messages must have room for it. */
export const MAX_NAME_CHARS = 128;
/** How many aliases may lead to each other: people name a version `latest` and `stable`, seldom more. */
export const MAX_ALIAS_STEPS = 16;

/** Chunks that are fetched at once. More rarely help: the server or the link is the limit. */
export const DEFAULT_CONCURRENCY = 4;
export const MAX_CONCURRENCY = 16;
/** A wait up to this time is spent within a request; for a longer one other sources are asked meanwhile. */
export const SHORT_WAIT_MS = 2_000;
/** Chunks that are kept in memory when a server sends no ranges: the parts of one are asked for one after the other. */
export const MAX_WHOLE_CHUNKS = 2;
/** A longer chunk of a server without ranges is read from its start for every part, instead of kept in memory. */
export const MAX_WHOLE_CHUNK_BYTES = 32 * 1024 * 1024;

/** How large chunks are that we publish, unless the publisher says otherwise: few requests, and a lost one costs little. */
export const PUBLISHED_CHUNK_BYTES = 10_000_000;
/** The smallest and largest chunk that a publisher may choose: each is held in memory, and each needs a request. */
export const MIN_PUBLISHED_CHUNK_BYTES = 64 * 1024;
export const MAX_PUBLISHED_CHUNK_BYTES = 64 * 1024 * 1024;
/** What chunks that are being written may take in memory together; one may always be written. */
export const PUBLISH_MEMORY_BYTES = 64 * 1024 * 1024;
/** How often a list that another publisher changed meanwhile is read and changed again. */
export const MAX_LIST_ATTEMPTS = 20;
/** A file that no version names is kept for so long by default: somebody may be fetching a version that was just replaced. */
export const PRUNE_AGE_MS = 7 * 24 * 3600 * 1000;

/** The list remembers for so long what a version was before: longer than any prune waits. */
export const KEPT_REPLACED_MS = 30 * 24 * 3600 * 1000;

/** How often a request to an S3 store is sent in all: with the SDK's waits it bears half a minute of `SlowDown`. */
export const S3_ATTEMPTS = 7;
/** How long a store may take to answer once it has the whole request. It answers an upload when the bytes are stored. */
export const S3_ANSWER_TIMEOUT_MS = 60_000;
/** Objects that are uploaded, looked at or deleted at once: each upload waits for the store far longer than for the link. */
export const S3_CONCURRENCY = 8;
/** A chunk that is there and as old as this is written anew by a copy in place, so that no prune takes it before the list names it. */
export const S3_TOUCH_AGE_MS = 24 * 3600 * 1000;

/** Signatures over lists that `models.json.sig` may hold: those of a few lists, and of many publishers at once. */
export const MAX_SIGNATURES = 256;
/** An entry takes about 370 bytes; later versions may write longer ones. */
export const MAX_SIGNATURES_BYTES = 256 * 1024;
/** Signatures of earlier lists that stay: caches may give readers an earlier list than the signatures. */
export const KEPT_SIGNATURES = 8;
/** A list that was signed and is not there yet will be, unless its publisher died: its signature stays for so long. */
export const PENDING_SIGNATURE_MS = 3600 * 1000;
/** How often the signatures are read again when a trusted publisher signed others, but not this list, and how long between. */
export const SIGNATURE_RETRIES = 2;
export const SIGNATURE_RETRY_MS = 1_000;
