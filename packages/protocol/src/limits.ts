/** Every bound of the protocol, with its reason. docs/protocol.md repeats this table; a test keeps the two the same. */

/** The major version must be the same on both sides; a minor one only adds what the other side may ignore. */
export const PROTOCOL_VERSION = { major: 1, minor: 3 } as const;

/** One message, whole, after its fragments are joined: a manifest takes 84 bytes a chunk, about 32 MB for a model of 400 GB. */
export const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/**
 * A message longer than this says first what it is (`type`, `id`, `method`), so that it can be refused before it is decoded or
 * joined: decoding 19 MB that will be refused takes most of a second. All but manifests and pages of lists are shorter.
 */
export const MAX_PLAIN_MESSAGE_BYTES = 64 * 1024;
/** What an answer with entries of models may have: a page of 200 takes about 400 KB. */
export const MAX_ENTRIES_BYTES = 8 * 1024 * 1024;
/** Messages whose fragments one lane may have in the air at once. */
export const MAX_PARTIAL_MESSAGES = 4;
/** A message in fragments whose next one does not come for this long ends its lane. Others go in between, so it is long. */
export const FRAGMENT_GAP_MS = 30_000;
/** Maps and arrays within each other: our deepest message has 7. */
export const MAX_NESTING = 16;
/** Items of one array: the chunks of one manifest, as many as fit into a message. */
export const MAX_ITEMS = 380_000;
/** Entries of one map: the hyperparameters of one model are the most. */
export const MAX_MAP_ENTRIES = 4096;
/** All values of one message together, keys counted: five for each chunk of the longest manifest, and room for its files. */
export const MAX_VALUES = 2_500_000;
/** One string: notes are the longest. */
export const MAX_STRING_BYTES = 256 * 1024;

export const MAX_CHUNKS = MAX_ITEMS;
/** The last millisecond of the year 9999, in milliseconds since 1970: later ones have no usual form. */
export const MAX_TIME_MS = 253_402_300_799_999;
/** More files than that leave no room in a message for the time of each. */
export const MAX_TIMED_FILES = 50_000;
export const MAX_FILES = 200_000;
/** A chunk must fit in memory many times over. Our chunker makes none over 1 MiB; others may cut up to this. */
export const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** A model's size is exact in a double. */
export const MAX_MODEL_BYTES = Number.MAX_SAFE_INTEGER;
/** Linux's PATH_MAX less room for the folder that the model goes into. */
export const MAX_PATH_BYTES = 3072;
/** One name of a path: ext4, APFS and NTFS allow 255. */
export const MAX_PATH_NAME_BYTES = 255;
/** The paths of many files, on average. Real ones are shorter, and checking long ones takes longer than decoding them. */
export const MAX_MEAN_PATH_BYTES = 160;
/** All paths of one model together may have so much, however few they are. */
export const FREE_PATHS_BYTES = 1024 * 1024;

/** A session token as text: it must fit in one line of a chat or of a shell. */
export const MAX_TOKEN_CHARS = 2048;
/** The signaling addresses of one token: a machine has few networks. */
export const MAX_TOKEN_URLS = 16;
export const MAX_URL_CHARS = 256;

/** One envelope of the sealed exchange: a session description with many candidates is about 8 KiB. */
export const MAX_ENVELOPE_BYTES = 64 * 1024;
/** Envelopes of one direction of one sealed exchange: up to 32 connections with their candidates. */
export const MAX_ENVELOPES = 4096;

/** One piece of a request or answer inside the seal: it fits into an envelope. */
export const MAX_SEALED_PIECE_BYTES = 60 * 1024;
/** A request without a connection, or its answer, after its pieces are joined: others use the signaling server too. */
export const MAX_SEALED_MESSAGE_BYTES = 512 * 1024;

/** What one get_chunks request may ask for. */
export const MAX_CHUNKS_PER_REQUEST = 256;
export const MAX_BYTES_PER_REQUEST = 16 * 1024 * 1024;
/** Places that one event of follow_chunks names one by one; more come as bits. */
export const MAX_FOLLOWED_PLACES = 1024;
/** Bytes of bits in one event of follow_chunks, which is shorter than MAX_PLAIN_MESSAGE_BYTES with them. */
export const MAX_FOLLOWED_BYTES = 48 * 1024;
/** Requests of one peer that may be open at once: some on each of its lanes. */
export const MAX_OPEN_REQUESTS = 256;
/** Connections that one peer may have at once, of all kinds. */
export const MAX_LANES = 64;
/** One page of list_models and list_jobs. */
export const MAX_PAGE = 200;

/** Models of one catalog, as many as a client lists of a worker. */
export const MAX_CATALOG_MODELS = 100_000;

/** Models of one job: a centroid and a centered-instance model are the usual pair. */
export const MAX_JOB_MODELS = 16;
/** Files and folders that one job reads: each is named in its runner's arguments. A folder may hold many files. */
export const MAX_JOB_DATA = 64;
/** Settings of one job. */
export const MAX_JOB_SETTINGS = 64;
/** Runners of one worker. */
export const MAX_RUNNERS = 256;
/** One line of a job's log: a longer one comes in pieces, each an event of its own. */
export const MAX_LOG_LINE_CHARS = 4096;
/** Events of a job that are sent at once; a message with them is shorter than 64 KiB in any case. */
export const MAX_JOB_EVENTS = 1024;

/** A chunk is cut every 1 MiB; a tensor of at least 256 KiB starts a chunk of its own. */
export const CHUNK_BYTES = 1024 * 1024;
export const OWN_CHUNK_TENSOR_BYTES = 256 * 1024;

/** A query is answered within this time, and is asked once more if not. */
export const QUERY_TIMEOUT_MS = 10_000;
/** An idle lane is pinged at this interval; a lane silent for the longer time is taken as gone. */
export const PING_INTERVAL_MS = 1_500;
export const PEER_GONE_MS = 5_000;
