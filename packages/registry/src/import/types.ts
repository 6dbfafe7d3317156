import type { Alias, AliasConflict, Digest, IfExists, Manifest, ModelEntry, ModelSource } from '@model-rtc/protocol';
import type { ConvertedFile, ConvertFormat } from '../convert/types.ts';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';
import type { HashedFiles, HashOptions } from '../hash/types.ts';
import type { FollowedLink } from './link-rules.ts';

export type { FollowedLink } from './link-rules.ts';
export type { ModelInFolder, SkippedPath } from './scanned-model.ts';

import type { FileOptions, ScannedFile, ScannedModel, ScanOptions, SkippedPath } from './scanned-model.ts';

export interface ImportProgress {
  /**
   * `hash` reads the originals; with `copy`, `copy` and `verify` follow, each from 0 again. With `convert`, `convert` and `copy` come
   * before them.
   */
  readonly phase: 'convert' | 'hash' | 'copy' | 'verify';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/**
 * What becomes of a whole model that is here already, when it is imported once more: it stays as it is, alias and all; its
 * files and entry are replaced; its files stay and it gets the alias and whatever else is said of it.
 */
export type ImportIfExists = IfExists | 'rename';

/** Files that are about to be copied into the registry. */
export interface ComingFiles {
  readonly bytes: number;
  /** Of the model that they make, as far as that is known before. */
  readonly digest?: Digest | undefined;
}

export interface ImportOptions extends WorkOptions, FileOptions {
  /**
   * Called before files are copied, and again before they are registered, since others may have come meanwhile. What it throws ends the
   * import, with nothing changed. Links take no room: it is not called for them.
   */
  readonly makeRoom?: ((coming: ComingFiles) => Promise<void>) | undefined;
  readonly alias?: Alias | undefined;
  /** When left out, the model gets what is said of it, but one that has another alias is refused. */
  readonly ifExists?: ImportIfExists | undefined;
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Free text, where the alias is short. */
  readonly name?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notes?: string | undefined;
  /** The model that this one was made from, as a reference on this machine. */
  readonly parent?: string | undefined;
  /** Refuse a model with files that run code when they are loaded. */
  readonly safeOnly?: boolean | undefined;
  /** Register a model that is not whole as well, marked as `incomplete`. Refused when left out. */
  readonly allowIncomplete?: boolean | undefined;
  /** Which version of a repository in a hub's cache: a branch, a tag or a commit. */
  readonly revision?: string | undefined;
  /** In place of the type that the scan finds. */
  readonly modelType?: string | undefined;
  /** Copy the files into the registry. Otherwise each is a symbolic link to the original. */
  readonly copy?: boolean | undefined;
  /** Register a copy with its torch files as files of this format, see `Conversions`. */
  readonly convert?: ConvertFormat | undefined;
}

/** How models are looked for in a folder. */
export interface FindOptions extends FileOptions, Pick<ImportOptions, 'revision' | 'signal'> {}

export interface ImportResult {
  readonly entry: RegistryEntry;
  readonly manifest: Manifest;
  readonly outcome: 'imported' | 'already_there';
  /** A name that fits what was found, free at the time; only when the model has no alias. */
  readonly suggestedAlias?: Alias | undefined;
  /** What is at the imported path but no part of the model. */
  readonly skipped: readonly SkippedPath[];
  /** The folder that was imported, when that is one above or below the named path. */
  readonly movedTo?: string | undefined;
  /** Links that were followed out of the model's folder, or to folders. */
  readonly followed?: readonly FollowedLink[] | undefined;
  /** The files that were converted, if that was asked for; none where there was nothing to convert. */
  readonly converted?: readonly ConvertedFile[] | undefined;
}

/** What a person of this machine said of a model that comes over a network. */
export interface InstallAdditions extends Pick<StoredEntry, 'importedWith' | 'licenseAccepted'> {
  /** Its full name here. */
  readonly name: string;
  /** Other models of this name lose it. */
  readonly takesName: boolean;
}

export interface InstallOptions {
  /** A folder inside `paths.staging` that holds exactly the manifest's files, verified. It is moved, not copied. */
  readonly filesFolder: string;
  readonly manifest: Manifest;
  /** What the other side says of the model. Its id, digest, sizes, alias and source are not taken from here. */
  readonly entry: ModelEntry;
  readonly alias?: Alias | undefined;
  /** What becomes of a taken alias; it is refused when left out. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** Refuse a model with files that run code when they are loaded, whatever they are called. */
  readonly safeOnly?: boolean | undefined;
  readonly source: ModelSource;
  readonly additions?: InstallAdditions | undefined;
  /** A model of this digest that is here keeps all that is said of it; only its files are replaced. */
  readonly keepsEntry?: boolean | undefined;
  /** Ends it while the files are examined; after that it takes no time. */
  readonly signal?: AbortSignal | undefined;
  /** What to do when a whole model of this digest is here: `skip` keeps it, `overwrite` replaces its files and entry. */
  readonly ifExists: IfExists;
}

/** Files of a model that came without a chunk list. */
export interface StagedFilesOptions extends Pick<HashOptions, 'signal' | 'onProgress'> {
  /** A folder inside `paths.staging` that holds them. */
  readonly filesFolder: string;
  /** In any order. */
  readonly files: Manifest['files'];
}

/** How a model is found and hashed. */
export interface ImportSteps {
  scanModel(path: string, options?: ScanOptions): Promise<ScannedModel>;
  hashFiles(files: readonly ScannedFile[], options?: HashOptions): Promise<HashedFiles>;
}
