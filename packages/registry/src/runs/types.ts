import type { ModelSource } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { ImportResult, WorkOptions } from '../import/types.ts';

/** A training run whose files are not settled: it has a run id and no digest. */
export interface RunState {
  /** The run's folder, absolute. */
  readonly path: string;
  readonly status: 'training' | 'interrupted' | 'failed';
  /** The watched folder in which it was found. */
  readonly foundIn?: string | undefined;
}

/**
 * What may be a model below a folder that someone else writes to.
 * - `run`: a training run's folder, finished or not
 * - `folder`, `file`: a folder of weights, or a weights file by itself
 * - `snapshot`: a folder in the cache of a hub
 */
export interface FoundPlace {
  readonly kind: 'run' | 'folder' | 'file' | 'snapshot';
  /** Absolute and without links. */
  readonly path: string;
  /** Places of one group stand for versions of one thing, as the snapshots of a hub's repository do. */
  readonly group?: string | undefined;
  /** In full, where the folder's own name says little: `org/name` of a hub's repository. */
  readonly name?: string | undefined;
}

export interface FoundPlaces {
  /** The folder itself, without links. */
  readonly root: string;
  /** Tells the folder from another one under its path, such as the one that a file system was mounted on. */
  readonly identity: string;
  readonly isEmpty: boolean;
  readonly places: readonly FoundPlace[];
  /** Every folder that was looked into, places included: where a change can make another place. */
  readonly folders: readonly string[];
  /** Folders that could not be read: of what is below nothing is known. */
  readonly unreadable: readonly string[];
  /** Links that lead out of the folder: they are not followed. */
  readonly outside: readonly string[];
}

/** How far a place is. */
export interface PlaceState {
  /** Changes with every file that is written, added or gone; undefined while the files cannot be read. */
  readonly fingerprint: string | undefined;
  /** When a file of it was written last, by the file system's clock; a copy may have its original's time. */
  readonly writtenAtMs: number;
  /** When anything about a file of it changed last, which nothing sets back. */
  readonly touchedAtMs: number;
  /** Whether parts are missing that are still to come: shards, or a download that is not done. */
  readonly isPartial: boolean;
  /** Of a run: what its log and configuration tell. */
  readonly progress?: 'finished' | 'diverged' | 'unfinished' | 'unknown' | undefined;
  readonly hasWeights: boolean;
}

export interface TakeOptions extends WorkOptions {
  /** The watched or read-only folder in which it was found. */
  readonly foundIn: string;
  readonly source: ModelSource;
  readonly name?: string | undefined;
  /** The path of an earlier version in whose place it comes, which hands it its alias, tags and notes. */
  readonly inPlaceOf?: string | undefined;
}

/** Models that others make and change, found where they lie. Nothing is ever written there. */
export interface Runs {
  /** Registers a training run, or brings its metrics and status up to date. Nothing is hashed or linked. */
  recordRun(run: RunState): Promise<RegistryEntry>;
  /** Takes out the entry of a run, or of a found model, that is done or gone. Its files are not touched. */
  forgetRun(path: string): Promise<void>;
  /** Looks through a folder for what may be models. @throws ModelRtcError `storage` when the folder itself cannot be read */
  findPlaces(root: string): Promise<FoundPlaces>;
  /** Looks at the files of a place; reads no weights. */
  lookAt(place: FoundPlace): Promise<PlaceState>;
  /**
   * Registers a found model by links to its files, or takes it in anew when they changed. It gets a free alias made from its
   * name unless it has one.
   */
  takeFound(place: FoundPlace, options: TakeOptions): Promise<ImportResult>;
  /** The entries of what was found in a folder, or in any. */
  listFound(foundIn?: string): Promise<RegistryEntry[]>;
}
