import { MAX_MESSAGE_BYTES } from '@model-rtc/protocol';

/** The bounds of connecting, with their reasons. */

/** All of connecting: finding the worker, and several attempts at a connection. */
export const CONNECT_TIMEOUT_MS = 30_000;
/** Finding the worker through its signaling servers, once. */
export const VISIT_TIMEOUT_MS = 10_000;
/** One attempt at a connection: a good one needs a second or two, and a stuck one never opens. */
export const LANE_ATTEMPT_MS = 8_000;
/** Waits before asking again for an absent worker: doubled each time, up to the longest. */
export const RETRY_FIRST_MS = 250;
export const RETRY_LONGEST_MS = 3_000;

/** A visitor says what it wants at once; it is sent with the visit. */
export const FIRST_ENVELOPE_MS = 5_000;
/** One visitor's whole exchange: as long as a patient visitor tries. */
export const EXCHANGE_TIMEOUT_MS = 60_000;
/** Visitors that have not shown a token yet. One more evicts the oldest. */
export const MAX_UNKNOWN_VISITORS = 64;
/** Exchanges that are being answered: each holds an open connection attempt, of about 1 MB. */
export const MAX_PENDING_EXCHANGES = 64;
/** The same for one token, so that one holder cannot keep out the others. */
export const MAX_PENDING_PER_TOKEN = 16;
/** Lanes that one sealed exchange may ask for: more than a visitor makes within its time. */
export const MAX_ASKS = 48;
/** How many of them may be opening at once: one of each kind, and those that the visitor abandoned meanwhile. */
export const MAX_PENDING_ASKS = 16;
/** Further lanes of a peer that may be opening at once: as many as are opened in one step. */
export const MAX_PENDING_FURTHER = 40;
/** Further lanes that a peer may ask for while it lives: one a second for a week. */
export const MAX_FURTHER_ASKS = 600_000;

/** Requests that one exchange may hold in place of a connection. */
export const MAX_SEALED_REQUESTS = 64;
/** What the requests and answers of one token's holders without a connection may have in a minute: others use the server too. */
export const SEALED_BYTES_PER_MINUTE = 2 * 1024 * 1024;
/** The same of all tokens. */
export const ALL_SEALED_BYTES_PER_MINUTE = 16 * 1024 * 1024;
/** How long such a request waits for its answer: it is made from memory. */
export const SEALED_SILENCE_MS = 8_000;

/** How long each kind waits to give the better ones a head start. */
export const HEAD_START_MS = { webrtc: 150, relay: 1_000 } as const;
/** How long worse lanes are kept after a better one opened, in case it carries nothing. */
export const OVERLAP_MS = 2_000;
/** When a better kind of lane that did not open is retried; the last interval repeats. */
export const UPGRADE_AFTER_MS = [5_000, 15_000, 60_000] as const;
/** Messages that wait for a connection to take them: an offer and all its candidates. */
export const MAX_WAITING_EXCHANGE_MESSAGES = 512;

/** Exchanges that are remembered, to refuse their repetition, and for how long. */
export const MAX_REMEMBERED_EXCHANGES = 4_096;
export const REMEMBER_EXCHANGE_MS = 10 * 60_000;

/**
 * Connections that one program opens to all its peers together: as many as one peer may have, since all of them bring parts of one model.
 */
export const MAX_LANES_OF_ALL_PEERS = 32;

/** Clients of one token that are connected at once: a lab that shares a token. One more is told to try again. */
export const MAX_PEERS_PER_TOKEN = 256;
/** Connections of one token's clients together, each of about 1 MB with webrtc: 32 clients with the most that one opens. */
export const MAX_LANES_PER_TOKEN = 1_024;
/** Messages in fragments that are being joined, of one token's clients and of all: the longest ones of two or eight clients. */
export const TOKEN_MESSAGES_BYTES = 2 * MAX_MESSAGE_BYTES;
export const ALL_MESSAGES_BYTES = 8 * MAX_MESSAGE_BYTES;

/** How often the authority of each connected peer is checked again. */
export const AUTHORITY_CHECK_MS = 2_000;
