import type { CheckResult } from '@model-rtc/formats/validation';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { ProgressOptions } from '../progress.ts';

/**
 * Runs a model once on numbers of no meaning, and looks at what comes out. Called only for a model in which nothing else failed.
 * @returns `passed`, `failed`, or `skipped` with the reason where nothing on this machine runs such a model
 */
export type ForwardPass = (entry: RegistryEntry, signal: AbortSignal | undefined) => Promise<CheckResult>;

export interface ValidateOptions extends ProgressOptions {
  /** Compare only sizes and times, and look at some numbers of each tensor. */
  readonly quick?: boolean | undefined;
  /** Every byte was verified just now: compare only sizes and times, and look at all numbers without hashing again. */
  readonly bytesVerified?: boolean | undefined;
  /** The version of model-rtc, which is kept with the results. */
  readonly version: string;
  /** How a model is run; skipped when left out. */
  readonly forward?: ForwardPass | undefined;
}

export interface ValidatedModel {
  /** With the results, which are kept in it. */
  readonly entry: RegistryEntry;
  /** `files`, `checksums`, `headers`, `index`, `config`, `numbers`, `tokenizer`, `forward`, in this order; `index` only where there is one. */
  readonly results: readonly CheckResult[];
  /** Whether nothing failed. */
  readonly isValid: boolean;
}

/** Whether models can be used, by all that their own files say. */
export interface Validation {
  /**
   * Checks a model's files, bytes, headers, configuration, numbers and tokenizer, and runs it where that is possible. Keeps the results in its
   * entry; changes nothing else but notes that `verify` corrects.
   * @throws ModelRtcError `not_found_locally`, `ambiguous`, `cancelled`; `busy` for a model that is still training
   */
  validate(ref: string, options: ValidateOptions): Promise<ValidatedModel>;
  /** The entries whose folder in `models/` is gone. Folders without entries: see `unknownFolders`. */
  entriesWithoutFolders(): Promise<readonly RegistryEntry[]>;
  /**
   * Takes an entry without a folder out of the index, and writes it into `kept/`.
   * @returns where it is now; undefined when its folder is there after all, or the entry gone
   */
  dropEntry(id: string): Promise<string | undefined>;
  /** Notes in a model's entry what one check found now. Does nothing for a model that is gone. */
  noteCheck(digest: Digest, result: CheckResult, version: string): Promise<void>;
}
