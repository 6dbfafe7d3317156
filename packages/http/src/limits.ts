/** Every bound of asking HTTP servers, with its reason. */

/** How often a request that brought nothing is sent again. One that brought something starts counting anew. */
export const MAX_RETRIES = 3;
/** The first and the longest wait before a request is sent again. */
export const FIRST_RETRY_MS = 250;
export const LONGEST_RETRY_MS = 8_000;
/** A server that asks for a longer wait (`Retry-After`) is left alone for as long; nobody waits longer for one answer. */
export const LONGEST_PATIENCE_MS = 60_000;
/** How long a connection may take to come up, ... */
export const CONNECT_TIMEOUT_MS = 10_000;
/** ... an answer to begin, ... */
export const HEAD_TIMEOUT_MS = 30_000;
/** ... and a body to bring its next bytes. Slow links bring some. */
export const BODY_GAP_MS = 20_000;
/** An idle connection is kept for the next request: a pause while the disk is written takes a few seconds. */
export const KEEP_ALIVE_MS = 30_000;
/** Connections to one server. More rarely help: the server or the link is the limit. */
export const MAX_CONNECTIONS = 16;
/** The body of an answer that nobody wants is read to its end up to this length: that is cheaper than a new connection. */
export const MAX_DRAINED_BYTES = 16 * 1024;
