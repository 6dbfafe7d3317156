import type { Scalar } from '@model-rtc/protocol';

/** Random access to the bytes of one file, whatever holds them: a file handle, a Blob, an array. */
export interface ByteReader {
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, both within `size`. The caller may keep the array.
   * Rejects when the bytes cannot be read; every reader of a format lets that through, since the file itself is then in doubt.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A file of a model under its path inside the model, with `/` between folders. */
export interface NamedReader extends ByteReader {
  readonly path: string;
}

export type Compression = 'gzip' | 'zlib' | 'raw';

export interface InflateLimits {
  /** Give up beyond this many bytes: a few kilobytes can stand for gigabytes. */
  readonly maxBytes: number;
  /** The bytes are only the beginning: give what they tell instead of calling them damaged. */
  readonly isPart: boolean;
}

/**
 * Decompresses bytes. The caller brings it: Node has its zlib, a browser has a library.
 * Ignores what follows the end of a zlib or raw stream, as Python does. Resolves to undefined for damaged bytes and beyond
 * the limit.
 */
export type Inflate = (
  bytes: Uint8Array,
  compression: Compression,
  limits: InflateLimits,
) => Promise<Uint8Array | undefined>;

/** What reading a file takes besides its bytes. */
export interface ReadOptions {
  readonly inflate: Inflate;
  /** Whether an ASCII text occurs in bytes. Node's Buffer is ten times as fast as the loop that stands in for it. */
  readonly includesText?: ((bytes: Uint8Array, text: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A run of a file's bytes that belongs together, ordinarily one tensor. */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** Parts of one block may share a chunk, see `blockOf`. A part without a block shares with none: headers, directories. */
  readonly block: string | undefined;
}

/** A tensor and where its bytes are in its file. */
export interface FileTensor {
  readonly name: string;
  /** As safetensors or GGUF call it, such as `BF16`. */
  readonly dtype: string;
  /** The outermost dimension first. */
  readonly shape: readonly number[];
  readonly start: number;
  readonly bytes: number;
  /** The strides, where the items do not lie in their order; else empty. */
  readonly layout: string;
}

export type MetadataValues = ReadonlyMap<string, Exclude<Scalar, null>>;

/**
 * A format of model files. Each function tells by the file's content whether the file is of this format, and resolves to
 * undefined when it is not. Throws StructureError when the file begins like one and is broken.
 */
export interface FileFormat {
  readonly name: string;
  /** The file's parts, for its chunk boundaries. */
  parts?(reader: ByteReader): Promise<Part[] | undefined>;
  /** What the file says of itself in its header. */
  metadata?(reader: ByteReader): Promise<MetadataValues | undefined>;
  tensors?(reader: ByteReader, options: ReadOptions): Promise<FileTensor[] | undefined>;
}
