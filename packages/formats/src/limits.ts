/** What reading a file's structure may cost. A file beyond a limit is cut every 1 MiB, like a file without structure. */

/** The JSON of a safetensors header; 8 MiB describe about 70,000 tensors and parse into some 30 MB of objects. */
export const MAX_SAFETENSORS_HEADER_BYTES = 8 * 1024 * 1024;
/** A GGUF header holds the tokenizer: 256,000 tokens with scores and merges take about 15 MB. It is read in windows. */
export const MAX_GGUF_HEADER_BYTES = 64 * 1024 * 1024;
/** The pickle of a torch archive, which names the archive's tensors. */
export const MAX_PICKLE_BYTES = 4 * 1024 * 1024;
/** Tensors or archive entries of one file, each taking about 200 bytes of memory while chunks are planned. */
export const MAX_STRUCTURE_ENTRIES = 131_072;
/** Levels of a safetensors header, which has three; each level of a hostile one takes memory when it is parsed. */
export const MAX_HEADER_NESTING = 8;
/** Arrays and objects of a safetensors header: three for each tensor. Empty ones take 30 times their length in memory. */
export const MAX_HEADER_CONTAINERS = 3 * MAX_STRUCTURE_ENTRIES + 16;
/** The directory of an archive: a full one with names of usual length takes 20 MB. */
export const MAX_ZIP_DIRECTORY_BYTES = 64 * 1024 * 1024;
/** A name of a tensor, metadata key or archive entry. */
export const MAX_NAME_BYTES = 4096;
/** A block of smaller tensors below this shares a chunk with its neighbours: a chunk of its own would cost more than it saves. */
export const MIN_BLOCK_BYTES = 16 * 1024;
/** Files within files, such as an archive within a pickle within an archive; no real model goes deeper. */
export const MAX_SCAN_DEPTH = 6;
/** The content of one compressed file or archive entry. Pickles are small beside the tensors that they name. */
export const MAX_INFLATED_BYTES = 32 * 1024 * 1024;
/** The longest line of a text pickle that is skipped. */
export const MAX_PICKLE_LINE_BYTES = 16 * 1024 * 1024;
/** Characters and long numbers that the walk of one pickle may hold at a time. */
export const MAX_PICKLE_HELD_CHARS = 32 * 1024 * 1024;

/** What reading into the files of one model may cost in total. */
export interface ReadLimits {
  /** Steps of pickles. A tensor takes about 50, and an array is a single one; some 5 million are walked in a second. */
  readonly opcodes: number;
  /** Bytes that are unpacked or searched for the end of a line. Of compressed arrays only the beginning is unpacked. */
  readonly bytes: number;
  /** Files within files: entries of archives, except the bytes of torch tensors, and pickles that follow or hold each other. */
  readonly parts: number;
  /** Milliseconds of work, without waiting for the disk. A backstop: the other limits come first. */
  readonly workMs: number;
}

/** One budget for all files of a model, and for everything inside them. */
export const MODEL_READ_LIMITS: ReadLimits = {
  opcodes: 50_000_000,
  bytes: 512 * 1024 * 1024,
  parts: 100_000,
  workMs: 60_000,
};
