import { CHUNK_FRAME_HEADER_BYTES, MAX_MESSAGE_BYTES } from '@model-rtc/protocol';

/** The bounds of a peer that are not the protocol's own, with their reasons. */

/** Both sides say hello as soon as the lane is open: one that says nothing for this long speaks something else, or is hung. */
export const HELLO_TIMEOUT_MS = 5_000;

/** A smaller limit is bogus: every engine takes more, and headers would fill it. */
export const MIN_LANE_MESSAGE_BYTES = 4_096;

/**
 * The longest frame, even on lanes that take more. Over webrtc and the relay the other side hears nothing until one is
 * whole, which must not take PEER_GONE_MS on a slow link. Over the relay and TLS a chunk of 1 MiB goes in 8 even frames;
 * longer ones took more of the sender's processor over TLS.
 */
export const MAX_FRAME_BYTES = { memory: 64 * 1024, webrtc: 64 * 1024, relay: 129 * 1024, direct: 129 * 1024 } as const;

/** The direct lane's head: before each message goes its length as a u32. */
export const HEAD_BYTES = 4;
/** Room before a chunk to send it in place: for the head of its frame, and that of the direct lane. */
export const CHUNK_HEADROOM_BYTES = CHUNK_FRAME_HEADER_BYTES + HEAD_BYTES;

/** A lane whose other side does not end it in order is aborted after this. */
export const LONGEST_CLOSE_MS = 10_000;

/** While data flows, the round trip is measured this often. */
export const RTT_INTERVAL_MS = 500;
/** Answers that are kept in case their lane was lost and they are asked for again. */
export const MAX_REMEMBERED_ANSWERS = 64;
/** Requests whose repetition came first, so that the original may still come. */
export const MAX_LATE_ORIGINALS = 256;

/** Request slots at the other side that chunk streams leave to queries. */
export const SLOTS_FOR_QUERIES = 16;

/** Messages of one peer that are being joined: the two longest at once, and what is short. */
export const PEER_MESSAGES_BYTES = 2 * MAX_MESSAGE_BYTES + 4 * 1024 * 1024;

/** How often a peer checks for silence. It divides PEER_GONE_MS, so that a dead peer is noticed in time. */
export const LIVENESS_TICK_MS = 250;

/** Bye is sent and the lanes are flushed within this time; slower lanes are aborted. */
export const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Small messages that wait to be sent. A side that reads its answers never comes near it, since its open requests are limited.
 * One that sends requests without reading is disconnected here.
 */
export const MAX_WAITING_MESSAGES = 1_024;

/** What an error's message may have on the wire (`errorDataSchema`). */
export const MAX_ERROR_MESSAGE_CHARS = 4_096;

/** Longer error details are left out: they only explain, and must not block the error itself. */
export const MAX_ERROR_DETAILS_BYTES = 16 * 1024;

/**
 * If a lane acknowledges data but no message comes back for this long, the program
 * at the other end hangs. A slow link needs less to get a ping past queued data.
 */
export const PEER_MUTE_MS = 60_000;
