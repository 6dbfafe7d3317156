/** The bounds of direct lanes, with their reasons. */

/** The longest message: 256 KiB of a chunk with room for the head of its frame. Longer ones gain nothing (measured). */
export const MAX_MESSAGE_BYTES = 257 * 1024;
/** A smaller limit of the other side was made up: heads would fill its messages. */
export const MIN_MESSAGE_BYTES = 4_096;

/** Two of these are all that waits in this process to be sent: one is filled while the other is with the socket. */
export const OUT_BUFFER_BYTES = 260 * 1024;
/** Shorter messages are copied, so that many go out together; each that is not is a write of its own. */
export const MIN_IN_PLACE_BYTES = 64 * 1024;
/** A socket is read no further while this much waits for the reader, and read again when half of it is left. */
export const READ_WINDOW_BYTES = 1024 * 1024;
/** So that a flood of tiny messages fills the window, as its bookkeeping fills the memory. */
export const MESSAGE_OVERHEAD_BYTES = 64;
/** A TLS record holds no more (RFC 8446, section 5.1), and Node hands over one at a time. */
export const TLS_RECORD_BYTES = 16 * 1024;
/** Buffers of messages that are kept to be filled again: as many as a reader has at hand at once. */
export const MAX_SPARE_BUFFERS = 8;

/** While anything arrives, the other side is told so this often: its own buffers hide from it whether TCP gets through. */
export const HEARD_INTERVAL_MS = 500;
/** An end that makes no progress for this long is given up: the other side is gone or does not read. */
export const CLOSE_PATIENCE_MS = 4_000;

/** From the first packet to the token: a few round trips. */
export const GREETING_TIMEOUT_MS = 5_000;
/** Connections that have not shown a token yet. A client that is expected opens a few, for moments. */
export const MAX_UNAUTHENTICATED = 256;
/** The same from one address, so that one stranger cannot keep out the others. */
export const MAX_UNAUTHENTICATED_PER_ADDRESS = 64;
/** Lanes that are expected at once, of all clients; each peer has 64 lanes at most. */
export const MAX_EXPECTED_LANES = 1_024;
/** An offer has to reach the client, who then dials for DIAL_TIMEOUT_MS. */
export const EXPECT_TIMEOUT_MS = 15_000;

/** One call to all addresses: a good one needs a few round trips. */
export const DIAL_TIMEOUT_MS = 10_000;
/** How long an address is tried alone before the next one is tried beside it. */
export const DIAL_STAGGER_MS = 100;
/** Addresses of one offer that are dialled: an offer must not make this machine knock at doors all over a network. */
export const MAX_DIALLED_ADDRESSES = 16;
/** Addresses of this machine that are offered, besides loopback. */
export const MAX_OFFERED_ADDRESSES = 12;

/** An idle connection is kept alive in the tables of the routers on its way. */
export const KEEP_ALIVE_MS = 30_000;
