/** What reading a file's structure may cost. A file beyond a limit is cut every 1 MiB, like a file without structure. */

/** The JSON of a safetensors header; 8 MiB describe about 70,000 tensors and parse into some 30 MB of objects. */
export const MAX_SAFETENSORS_HEADER_BYTES = 8 * 1024 * 1024;
/** A GGUF header holds the tokenizer: 256,000 tokens with scores and merges take about 15 MB. It is read in windows. */
export const MAX_GGUF_HEADER_BYTES = 64 * 1024 * 1024;
/** The pickle of a torch archive, which names the archive's tensors. */
export const MAX_PICKLE_BYTES = 4 * 1024 * 1024;
/** Tensors or archive entries of one file, each taking about 200 bytes of memory while chunks are planned. */
export const MAX_STRUCTURE_ENTRIES = 131_072;
/** A name of a tensor, metadata key or archive entry. */
export const MAX_NAME_BYTES = 4096;
/** A block of smaller tensors below this shares a chunk with its neighbours: a chunk of its own would cost more than it saves. */
export const MIN_BLOCK_BYTES = 16 * 1024;
