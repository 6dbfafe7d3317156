import type { ModelFacts, ModelRoot } from '@model-rtc/formats/layouts';
import type { ModelPath } from '@model-rtc/protocol';
import type { FollowedLink } from './link-rules.ts';

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
  /** Of the file, or of all files in the folder; undefined where it was not counted. */
  readonly bytes?: number | undefined;
  /** How many files are in the folder. */
  readonly files?: number | undefined;
}

/** One of several models in a folder. */
export interface ModelInFolder {
  /** `snapshot`: a version of a repository in a hub's cache; `manifest`: a model in ollama's store. */
  readonly kind: ModelRoot['kind'] | 'snapshot' | 'manifest';
  /** Of its file or folder, from the folder that holds them all; empty for that folder itself. */
  readonly path: string;
  readonly name: string;
}

/** Which files of a folder are the model. */
export interface FileOptions {
  /** Keep states of the optimizer, schedulers and random numbers, and predictions of the validation. Left out otherwise. */
  readonly withTrainingState?: boolean | undefined;
  /** Take a folder that holds several models as one. Refused when left out. */
  readonly asOne?: boolean | undefined;
  /** Take a file or a folder whole, whatever it is. What is no known model is refused otherwise. */
  readonly asIs?: boolean | undefined;
  /** Globs of files and folders that belong to the model, whatever a rule says of them. */
  readonly include?: readonly string[] | undefined;
  /** Globs of files and folders that do not belong to it. They count before `include`. */
  readonly exclude?: readonly string[] | undefined;
  /** Take what links lead to outside of the folder, and walk folders behind links. Links out are refused otherwise. */
  readonly followLinks?: boolean | undefined;
}

export interface ScanOptions extends FileOptions {
  /** In place of the type that the model's own files tell. */
  readonly modelType?: string | undefined;
  /** Which version of a repository in a hub's cache: a branch, a tag or a commit. */
  readonly revision?: string | undefined;
  /** The model is where the path leads, and not in a folder above or below it. */
  readonly isExact?: boolean | undefined;
  /** Folders into which links may lead as well. */
  readonly linksWithin?: readonly string[] | undefined;
}

export interface ScannedModel {
  /** Sorted by the bytes of their paths. */
  readonly files: readonly ScannedFile[];
  readonly facts: ModelFacts;
  /** A valid alias made from the run's or the folder's name. */
  readonly suggestedAlias?: string | undefined;
  readonly skipped: readonly SkippedPath[];
  /** Links that were followed out of the folder, or to folders. */
  readonly followed: readonly FollowedLink[];
  /** Where the model lies, when that is a folder above or below the one that was named. */
  readonly movedTo?: string | undefined;
}

/** A model before it has its name. */
export interface Scanned extends ScannedModel {
  readonly setName?: string | undefined;
}
