import type { ModelFacts } from '@model-rtc/formats/layouts';
import type { ModelPath } from '@model-rtc/protocol';

/** A file of a model as it was found. */
export interface ScannedFile {
  /** Its path inside the model. */
  readonly path: ModelPath;
  /** Where its bytes are; links on the way there are not resolved. */
  readonly absolutePath: string;
  readonly size: number;
  /** Unix permission bits. */
  readonly mode: number;
  readonly mtimeNs: bigint;
}

/** Something under the scanned path that is no part of the model, with the reason as the end of a sentence. */
export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
  /** Of a file that was looked at; what is in a folder that was left out is not counted. */
  readonly bytes?: number | undefined;
}

export interface ScannedModel {
  /** Sorted by the bytes of their paths. */
  readonly files: readonly ScannedFile[];
  readonly facts: ModelFacts;
  /** A valid alias made from the run's or the folder's name. */
  readonly suggestedAlias?: string | undefined;
  readonly skipped: readonly SkippedPath[];
  /** Where the model lies, when that is a folder above or below the one that was named. */
  readonly movedTo?: string | undefined;
}
