/** The bounds of what the HTTP bridge takes, with their reasons. */

/** Connections at once; further ones are closed. ollama opens 16 for each model, aria2c as many. */
export const MAX_CONNECTIONS = 256;
/** Files sent at once, over all connections: each holds two pieces in memory, and a chunk while its model is being fetched. */
export const MAX_DOWNLOADS = 64;
/** What is read and sent at once by a few downloads: four times as much as below is half as fast again, measured with curl on loopback. */
export const LARGE_PIECE_BYTES = 1024 * 1024;
/** How many of those are in use at once; each download has two. */
export const MAX_LARGE_PIECES = 24;
/** What is read and sent at once by the downloads beyond those. */
export const PIECE_BYTES = 256 * 1024;
/** Request line and headers. Names have a few hundred bytes, a bearer token as many. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** The longest path with its query; no name of a model and file is longer. */
export const MAX_URL_CHARS = 8_192;
/** The body of a request for facts of paths: some thousand paths. Other requests have none. */
export const MAX_BODY_BYTES = 256 * 1024;
/** How long the headers of a request may take; a client that types them slowly holds a connection. */
export const HEADERS_MS = 10_000;
/** How long a whole request may take, without the answer. */
export const REQUEST_MS = 20_000;
/** How long a connection without a request is kept. */
export const KEEP_ALIVE_MS = 15_000;
/** A client that takes no byte for this long is cut off: it holds memory and an open file. */
export const STALLED_CLIENT_MS = 60_000;
/** When all places are taken, a client that needs longer than this for one piece, which is less than 35 kB/s, makes room for another one. It can resume. */
export const SLOW_CLIENT_MS = 30_000;
/** Pulls that requests start in a minute; each takes a network and a disk. */
export const MAX_PULLS_A_MINUTE = 30;
/** Pulls that requests started and that run at once. */
export const MAX_PULLS = 8;
/** Names that other machines are asked for in a minute: each may take a connection. */
export const MAX_LOOKUPS_A_MINUTE = 600;
/** How long other machines are asked what the files of a model are, one after the other; most tools wait a minute for an answer. */
export const MANIFEST_MS = 45_000;
/** How often a file that is still being fetched is looked at for the next bytes. */
export const LOOK_AGAIN_MS = 100;
/** How long the list of all models is used again; asking for ten thousand looks at as many files. */
export const LIST_AGE_MS = 1_000;
/** Manifests of models of other machines that are kept; a large one takes a few MB. */
export const MAX_KEPT_MANIFESTS = 16;
/** Models in one answer of a list unless the request says less; all that a machine has fit. */
export const MAX_LISTED = 10_000;
/** Files and folders in one page of a repository's tree, as hubs have it. */
export const TREE_PAGE = 1_000;
