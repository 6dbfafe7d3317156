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

/** What came of decompressing. */
export interface Inflated {
  readonly bytes: Uint8Array;
  /** How many of the compressed bytes were used; others may follow the end of the stream. */
  readonly used: number;
  /** `whole` for a stream that ends properly, and for one that is cut. `too_long` and `damaged` tell where it was given up. */
  readonly outcome: 'whole' | 'too_long' | 'damaged';
}

/**
 * Decompresses a raw deflate stream (RFC 1951), up to `maxBytes` of content: a few kilobytes can stand for gigabytes. The
 * caller brings it: Node has its zlib, a browser has a library. Never throws for bad bytes: gives what could be decompressed.
 */
export type Inflate = (bytes: Uint8Array, maxBytes: number) => Promise<Inflated>;

/** What is counted besides time. */
export type Expense = 'opcodes' | 'bytes' | 'parts';

/**
 * What may still be spent on reading into the files of one model. All its files share it, and everything inside them, so that
 * nesting and repeating gain a hostile file nothing. Once one kind is used up, nothing more is granted.
 */
export interface ReadBudget {
  /** Whether nothing more is granted. */
  readonly isSpent: boolean;
  /** Bytes that may still be unpacked. */
  readonly bytesLeft: number;
  /** @throws OverBudgetError when less than that is left, or too much time has passed */
  spend(expense: Expense, count?: number): void;
  /** @throws OverBudgetError when too much time has passed, or nothing more is granted */
  checkTime(): void;
  /** A reader whose waiting for the disk does not count as time. */
  excuseReads(reader: ByteReader): ByteReader;
}

/** What reading a file takes besides its bytes. */
export interface ReadOptions {
  readonly inflate: Inflate;
  /** What all reading of one model may cost together. Each call has a budget of its own when it is left out. */
  readonly budget?: ReadBudget | undefined;
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
