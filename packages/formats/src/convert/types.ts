import type { ReadOptions } from '../types.ts';

/** A tensor of the new file, and where its items are in the old one. */
export interface TensorCopy {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of each side, in items. */
  readonly stride: readonly number[];
  readonly itemBytes: number;
  /** Where the first item is in the old file. */
  readonly start: number;
  readonly bytes: number;
  /** How many bytes make one number; they are turned around when the old file has them in the other order. */
  readonly swappedBytes: number | undefined;
}

/** How a file of torch becomes a safetensors file. */
export interface Conversion {
  /** The new file's first bytes; the tensors follow in their order. */
  readonly header: Uint8Array;
  readonly tensors: readonly TensorCopy[];
  /** Bytes of the new file. */
  readonly size: number;
  /** Names that stand for another tensor's values and are not written. */
  readonly dropped: readonly string[];
  /** What is not the same as in the old file, each as a sentence without the file's name. */
  readonly warnings: readonly string[];
}

export interface ConvertOptions extends ReadOptions {
  /** Whether the model's loader gives an output layer the values of the embedding, as its configuration says. */
  readonly tiesWeights?: boolean | undefined;
}

/** The part of a file that is read while its tensors are copied. */
export interface TensorSource {
  /** Fills the target from `offset`. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
}
