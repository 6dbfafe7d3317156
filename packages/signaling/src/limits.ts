import { MAX_ENVELOPE_BYTES, MAX_TOKEN_URLS } from '@model-rtc/protocol';

/** Every bound of signaling, with its reason. docs/protocol.md repeats what a client must know. */

/** The WebSocket path. Its number is the protocol's: an incompatible one gets another path beside it. */
export const SIGNALING_PATH = '/v1';
/** Where two agents meet at the relay, with the meeting's name as one more segment. */
export const RELAY_PATH = `${SIGNALING_PATH}/relay`;

/** One sealed envelope. */
export const MAX_PAYLOAD_BYTES = MAX_ENVELOPE_BYTES;
/** The same in base64url, without padding. */
export const MAX_PAYLOAD_CHARS = Math.ceil((MAX_PAYLOAD_BYTES * 4) / 3);
/** One text frame with a full payload; longer ones are answered with `too_large`. */
export const MAX_FRAME_BYTES = MAX_PAYLOAD_CHARS + 1024;
/** Frames above this are not even read: the WebSocket layer ends the connection with close code 1009. */
export const MAX_READ_FRAME_BYTES = 4 * MAX_FRAME_BYTES;

/** Random bytes of a challenge: never repeats, so no old signature fits. */
export const NONCE_BYTES = 32;
/** Random bytes of a visitor's name: unique among the visitors of all rooms. */
export const VISITOR_NAME_BYTES = 12;

/** As many addresses as one session token holds. */
export const MAX_URLS = MAX_TOKEN_URLS;
/** Connections of one worker at one server: it may reach the server by each of its addresses. */
export const MAX_CONNECTIONS_PER_WORKER = MAX_URLS;
/** Visitors that one worker talks to at once; more of them wait outside. Above what one address may open. */
export const MAX_VISITORS_PER_ROOM = 128;

/** What one link holds that its reader has not taken: the offers and candidates of 32 lanes, sent at once. */
export const MAX_LINK_QUEUE_BYTES = 512 * 1024;
export const MAX_LINK_QUEUE_ITEMS = 1024;

/** The bounds that the operator of a server may change. */
export interface SignalingLimits {
  /** Open connections altogether: about 30 KB of memory each. */
  readonly maxConnections: number;
  /** From one IPv4 address or IPv6 /64 network: a lab behind one NAT fits, one flooder cannot take every place. */
  readonly maxConnectionsPerIp: number;
  /** Visitors of one worker at once. */
  readonly maxVisitorsPerRoom: number;
  /** Sustained messages and bytes a second of a visitor; a worker, which answers many, may send WORKER_RATE_FACTOR times as much. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** What a connection may send at once before the sustained rate holds: the offers and candidates of 32 lanes. */
  readonly burstSeconds: number;
  /** Unsent bytes for one connection: a receiver this far behind is not reading. */
  readonly maxBufferedBytes: number;
  /** Time to send a whole HTTP request: a slower sender only occupies a connection. */
  readonly requestMs: number;
  /** From opening a WebSocket to having registered or visited a room. */
  readonly unauthenticatedMs: number;
  /** A WebSocket ping goes out this often; a connection from which nothing came for the longer time is ended. */
  readonly pingIntervalMs: number;
  readonly staleMs: number;
}

export const DEFAULT_LIMITS: SignalingLimits = {
  maxConnections: 4096,
  maxConnectionsPerIp: 64,
  maxVisitorsPerRoom: MAX_VISITORS_PER_ROOM,
  messagesPerSecond: 100,
  bytesPerSecond: 512 * 1024,
  burstSeconds: 8,
  maxBufferedBytes: 2 * 1024 * 1024,
  requestMs: 5_000,
  unauthenticatedMs: 10_000,
  pingIntervalMs: 5_000,
  staleMs: 15_000,
};

export const WORKER_RATE_FACTOR = 8;

/** Random bytes of a meeting's name, so that nobody can guess it. */
export const MEETING_BYTES = 16;
/** One message of a lane, sealed, and some room for what comes. Longer frames are not even read: close code 1009. */
export const MAX_RELAY_FRAME_BYTES = 258 * 1024;
/** What the bookkeeping of one frame costs the server: without counting it, a million empty frames would fill no buffer. */
export const RELAY_FRAME_OVERHEAD_BYTES = 256;
/** What may go through at once before a rate holds, in time: longer than a timer's error, and too short to be felt. */
export const RELAY_BURST_SECONDS = 0.1;
/** The least that makes a lane: a second for its longest message. Agents take a silence of several seconds for the end. */
export const MIN_RELAY_BYTES_PER_SECOND = 256 * 1024;

/** The bounds of the relay that the operator of a server may change. */
export interface RelayLimits {
  /** Bytes a second of one pair, both directions together; undefined for no limit. */
  readonly bytesPerSecondPerPair: number | undefined;
  /** The same of all pairs of the server. */
  readonly bytesPerSecond: number | undefined;
  /** Meetings, of one or two. A pair whose readers are both stuck holds about 2 MB. */
  readonly maxMeetings: number;
  /** Connections from one IPv4 address or IPv6 /64 network that wait alone at their meeting. */
  readonly maxWaitingPerIp: number;
  /** How long one side waits for the other. */
  readonly waitMs: number;
  /** Unsent bytes for one side above which the other is not read; it is read again at half of that. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  bytesPerSecondPerPair: undefined,
  bytesPerSecond: undefined,
  maxMeetings: 256,
  maxWaitingPerIp: 32,
  waitMs: 15_000,
  maxBufferedBytes: 512 * 1024,
};

/** The request line and headers of an upgrade; proxies add a few hundred bytes. */
export const MAX_HEADER_BYTES = 8 * 1024;
/** Sockets over the limit that are still read, so that the server can tell them why it refuses them. */
export const POLITE_REFUSALS = 8;
/** After saying goodbye, a connection has this long to go by itself. */
export const CLOSE_GRACE_MS = 1_000;
/** The same when the whole server closes. */
export const SHUTDOWN_GRACE_MS = 250;

/** The client's own pings, since a browser cannot see those of a server, and how long a server may be silent before the client gives up on it. */
export const CLIENT_PING_INTERVAL_MS = 4_000;
export const CLIENT_STALE_MS = 12_000;
/** Opening one connection and being let in, before the next attempt. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Reaching the relay and meeting the other side there, who needs as long. */
export const MEET_TIMEOUT_MS = 10_000;
/** What a side of a relayed pair holds: unsent above which its sender waits, and unread above which it stops reading. */
export const MEETING_BUFFER_BYTES = 1024 * 1024;
/** Above this a side gives up on what it cannot stop reading (a browser): more than all windows of the lanes of one peer. */
export const MAX_UNREAD_RELAY_BYTES = 64 * 1024 * 1024;
/** A browser says only how much it has not sent yet; this is how often it is asked while something waits for it. */
export const W3C_SENT_POLL_MS = 5;
/** Visiting a worker altogether, over all its URLs. */
export const VISIT_TIMEOUT_MS = 10_000;
/** If a server that was asked for a room says nothing for this long, the next server is asked as well. */
export const VISIT_STAGGER_MS = 500;
/** Once one server says that the worker is not there, others have this long to say that it is. */
export const OFFLINE_GRACE_MS = 3_000;
/** Waits between attempts to reach a server: doubled each time, up to the longest. */
export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_LONGEST_MS = 10_000;
/** A connection that held this long was a good one: the next wait is short again. */
export const BACKOFF_RESET_MS = 10_000;
