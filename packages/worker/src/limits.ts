/** The bounds of what clients may ask of a worker, with their reasons. */

/** Pushes of one token that a worker receives at once: each holds its manifest in memory and a folder on the disk. */
export const MAX_PUSHES_PER_TOKEN = 8;
/** The same of all tokens. */
export const MAX_PUSHES = 24;
/**
 * Files and chunks in the manifests of all these pushes together: about 0.5 KB of memory each. The largest manifest that there
 * can be fits when it is alone; a model of 7 GB has some 7,000.
 */
export const MAX_PUSHED_ITEMS = 600_000;
/**
 * The models that one token's pushes may have staged at once, open or broken off: its oldest ones that were broken off make room. A
 * larger model is received alone; the free space of the disk bounds that.
 */
export const MAX_STAGED_BYTES_PER_TOKEN = 256 * 1024 ** 3;
/** A page of a list is made shorter than this, whatever is in its entries. A page of 200 ordinary models takes about 400 KB. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** The data of jobs that is kept unless the owner sets something else: a few long videos for each of a few people. */
export const DATA_BYTES = 100e9;
/** How long it is kept unused: a month, as what is staged. */
export const DATA_AGE_MS = 30 * 24 * 60 * 60 * 1000;
/** How often data that is too old is looked for. */
export const TIDY_INTERVAL_MS = 60 * 60 * 1000;
/** How often followers of a model that is being fetched are told what came: each time is a message to each of them. */
export const FOLLOW_INTERVAL_MS = 200;
/** Models that one connection may follow at once: a client fetches few at a time. */
export const MAX_FOLLOWED_MODELS = 16;
