/** Workers remembered. The one seen longest ago goes first. */
export const MAX_WORKERS = 256;
/** Models of one worker: as many as a client lists at most. */
export const MAX_WORKER_MODELS = 100_000;
/** An ordinary entry takes 1 to 2 kB as JSON. Only what a list shows is kept of a longer one. */
export const MAX_ENTRY_CHARS = 16 * 1024;
/** One worker's file: a hostile worker must not fill this machine's disk, nor the memory of whoever reads it. */
export const MAX_WORKER_BYTES = 128 * 1024 * 1024;
/** A worker's own name, as `hello` allows. */
export const MAX_NAME_CHARS = 256;
