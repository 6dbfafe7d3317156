/** Every bound of reading a hub, with its reason. */

/** A model's card may list thousands of results of evaluations. */
export const MAX_INFO_BYTES = 16 * 1024 * 1024;
/** A page of a repository's files: a thousand of them take some 400 kB, with long paths 2 MB. */
export const MAX_TREE_PAGE_BYTES = 16 * 1024 * 1024;
/** A file that holds an access token: one line. */
export const MAX_TOKEN_FILE_BYTES = 4 * 1024;
/** Redirects within the hub: a renamed repository, and its cache of small files. */
export const MAX_REDIRECTS = 5;
/** Connections that a download uses. Each is a source of its own, so that a slow one is given less to do. */
export const DEFAULT_CONNECTIONS = 6;
/** Requests of one connection that run at once: the second one hides the way to the server and back. */
export const REQUESTS_PER_CONNECTION = 2;
/** A wait up to this time is spent within a request; for a longer one other sources are asked meanwhile. */
export const SHORT_WAIT_MS = 2_000;
/** Before a connection that failed is replaced, while others go on. */
export const REPLACE_AFTER_MS = 1_000;
/** A server that cannot send parts of files is read from the start of the file for each part, up to this size. */
export const MAX_WHOLE_FILE_BYTES = 64 * 1024 * 1024;
/** Repositories of the hub's own cache in which a file is looked for. Each takes a look at its list of files. */
export const MAX_CACHED_REPOSITORIES = 512;
