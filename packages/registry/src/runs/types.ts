import type { ModelSource } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { WithoutLinks } from '../import/link-files.ts';
import type { ImportResult, WorkOptions } from '../import/types.ts';

/** A training run whose files still change: it has a run id and no digest. */
export interface RunState {
  /** The run's folder, absolute. */
  readonly path: string;
  readonly status: 'training' | 'interrupted' | 'failed';
  /** The watched folder in which it was found. */
  readonly foundIn?: string | undefined;
}

/**
 * Something below a folder that others write to, which may be a model.
 * - `run`: a training run's folder, finished or not
 * - `folder`, `file`: a folder of weights, or a weights file by itself
 * - `snapshot`: a folder in the cache of a hub
 * - `manifest`: a file in ollama's store that names the blobs of a model
 */
export interface FoundPlace {
  readonly kind: 'run' | 'folder' | 'file' | 'snapshot' | 'manifest';
  /** Absolute and without links. */
  readonly path: string;
  /** Places of one group are versions of one thing, such as the snapshots of a hub's repository. */
  readonly group?: string | undefined;
  /** A full name when the folder's own says little: `org/name` of a hub's repository. */
  readonly name?: string | undefined;
}

/**
 * Why something in such a folder is no model of this registry.
 * - `unreadable`: a folder or file that cannot be read
 * - `dangling_link`: a link to nothing, or to itself
 * - `outside`: a link that leads out of the folder
 * - `incomplete`, `damaged`: a model that is not whole by what its own files say
 * - `no_links`: the data folder's file system has no symbolic links
 * - `invalid`: something else, which the reason says
 */
export type LeftOutKind =
  | 'unreadable'
  | 'dangling_link'
  | 'outside'
  | 'incomplete'
  | 'damaged'
  | 'no_links'
  | 'invalid';

/** Something in a folder that others write to that was left out of the registry. */
export interface LeftOut {
  /** Absolute. */
  readonly path: string;
  readonly kind: LeftOutKind;
  /** What is wrong with it, as a sentence without the path: `it is a link to nothing`. */
  readonly reason: string;
}

/** What a worker found in one of its folders. */
export interface FolderReport {
  /** The watched or read-only folder, without links. */
  readonly folder: string;
  /** When it was last looked through; ISO 8601 in UTC. */
  readonly lookedAt: string;
  /** How many models and runs it gave. */
  readonly models: number;
  readonly leftOut: readonly LeftOut[];
}

export interface FoundPlaces {
  /** The folder itself, without links. */
  readonly root: string;
  /** Distinguishes the folder from another one at its path, such as the empty one below a mount. */
  readonly identity: string;
  readonly isEmpty: boolean;
  readonly places: readonly FoundPlace[];
  /** Every folder that was searched, places included: a change in one can make another place. */
  readonly folders: readonly string[];
  /** Folders that could not be read; nothing below them is known. */
  readonly unreadable: readonly string[];
  /** What was not searched or followed, and why; models that cannot be registered are found out later. */
  readonly leftOut: readonly LeftOut[];
}

/** The state of a place's files. */
export interface PlaceState {
  /** Changes whenever a file is written, added or removed; undefined while the files cannot be read. */
  readonly fingerprint: string | undefined;
  /** When a file was last written, by the file system's clock; a copy may have its original's time. */
  readonly writtenAtMs: number;
  /** When anything about a file last changed; programs cannot set this time back. */
  readonly touchedAtMs: number;
  /** Whether parts are still missing: shards, or an unfinished download. */
  readonly isPartial: boolean;
  /** For a run: what its log and configuration tell. */
  readonly progress?: 'finished' | 'failed' | 'diverged' | 'unfinished' | 'unknown' | undefined;
  readonly hasWeights: boolean;
  /** Why the files cannot be read, when it is not that they are gone. */
  readonly unreadable?: string | undefined;
}

export interface TakeOptions extends WorkOptions {
  /** The watched or read-only folder in which it was found. */
  readonly foundIn: string;
  readonly source: ModelSource;
  readonly name?: string | undefined;
  /** Other folders without links that are served too: links may lead into them. */
  readonly linksWithin?: readonly string[] | undefined;
  /** What to do where no symbolic links can be made; refused when left out. */
  readonly withoutLinks?: WithoutLinks | undefined;
  /** The path of an earlier version that it replaces; it takes over that version's alias, tags and notes. */
  readonly inPlaceOf?: string | undefined;
}

/** Models that others make and change, found in their own folders. Nothing is ever written there. */
export interface Runs {
  /** Registers a training run, or brings its metrics and status up to date. Nothing is hashed or linked. */
  recordRun(run: RunState): Promise<RegistryEntry>;
  /** Removes the entry of a run or found model that has ended or is gone. Its files are not touched. */
  forgetRun(path: string): Promise<void>;
  /** Searches a folder for possible models. @throws ModelRtcError `storage` when the folder itself cannot be read */
  findPlaces(root: string): Promise<FoundPlaces>;
  /** Looks at the files of a place; reads no weights. */
  lookAt(place: FoundPlace): Promise<PlaceState>;
  /**
   * Registers a found model by links to its files, again if they changed. It gets a free alias made from its name unless it
   * has one.
   */
  takeFound(place: FoundPlace, options: TakeOptions): Promise<ImportResult>;
  /** Notes what a worker found in its folders, in place of what was noted before. */
  recordReports(reports: readonly FolderReport[]): Promise<void>;
  /** What the last worker on this machine found in its folders; empty when it had none. */
  folderReports(): Promise<FolderReport[]>;
  /** The entries of models found in a folder, or in any. */
  listFound(foundIn?: string): Promise<RegistryEntry[]>;
}
