import type { Digest, Manifest, ModelPath } from '@model-rtc/protocol';
import type { ModelReader } from '../files/types.ts';
import type { ProgressOptions } from '../progress.ts';
import type { FileStat } from '../store/types.ts';

/** A file by itself, or a folder with all that is in it. */
export type FileSetForm = 'file' | 'folder';

/** Something that does not travel with the files around it, with the reason as the end of a sentence. */
export interface LeftOutFile {
  readonly path: string;
  readonly reason: string;
}

/** Plain files that travel as a model's do: what a job reads, or what it wrote. */
export interface FileSet {
  /** As a model's: it depends on the files' paths and bytes alone. */
  readonly digest: Digest;
  readonly form: FileSetForm;
  /** Of the file or folder. */
  readonly name: string;
  /** Of a file: with the file alone, under its name. Undefined when there is no file at all. */
  readonly manifest: Manifest | undefined;
  readonly bytes: number;
  /** Folders without anything in them, which no manifest has. */
  readonly emptyFolders: readonly ModelPath[];
  readonly leftOut: readonly LeftOutFile[];
  /** The folder that the files lie in, absolute and without links. */
  readonly folder: string;
  /** In the order of the manifest's files, by their names on this disk, from the folder on. */
  readonly stats: readonly FileStat[];
}

/** What is kept of a job's results. */
export interface KeptResults {
  readonly digest: Digest;
  readonly form: FileSetForm;
  readonly fileCount: number;
  readonly bytes: number;
  readonly leftOut: readonly LeftOutFile[];
}

/** A job's results, to be sent. */
export interface OpenResults extends Pick<FileSet, 'digest' | 'form' | 'manifest' | 'emptyFolders'> {
  /** Undefined when there is no file. Close it. */
  readonly reader: ModelReader | undefined;
}

/** Verified files, and where they go. */
export interface PlaceOptions extends Pick<FileSet, 'digest' | 'form' | 'emptyFolders' | 'manifest'> {
  /** A folder of the registry's `staging` that holds exactly the manifest's files; undefined when there are none. Its files are moved. */
  readonly filesFolder: string | undefined;
  /** The new file or folder. */
  readonly target: string;
  /** Replace what is there. */
  readonly overwrite?: boolean | undefined;
}

/** What should be at a place. */
export type TargetOptions = Omit<PlaceOptions, 'filesFolder' | 'target'>;

/** Plain files on this machine that travel as models do. */
export interface FileSets {
  /**
   * Hashes a file, or a folder with all that is in it. Files that were hashed before and did not change are not read.
   * @throws ModelRtcError `not_found_locally`; `bad_argument` for a folder without files, too many files, and names that other machines cannot have;
   * `refused` for links that lead out of the folder; `source_changed`; `storage`; `cancelled`
   */
  hashFileSet(path: string, options?: ProgressOptions): Promise<FileSet>;
  /** Reads a set's chunks. @throws ModelRtcError `source_changed` when a file is not as it was hashed */
  openFileSet(set: FileSet): ModelReader;
  /**
   * Hashes what a job wrote, and notes it in a folder of its own. What cannot travel is left out.
   * @param output - a single file in it is the result itself; so is a single folder called `result`; else all of it is
   * @returns undefined when the job wrote nothing
   * @throws ModelRtcError `bad_argument` for too many files; `source_changed`; `storage`; `cancelled`
   */
  keepResults(output: string, notes: string, options?: ProgressOptions): Promise<KeptResults | undefined>;
  /** @throws ModelRtcError `not_found` when nothing is noted there; `storage` when the notes are damaged */
  openResults(notes: string): Promise<OpenResults>;
  /**
   * Looks at the place where results go, before a byte of them is asked for.
   * @returns `same` when the very same content is there
   * @throws ModelRtcError `refused` when something else is there, unless it may be overwritten; `bad_argument` for a place in the data
   * folder; `storage`
   */
  checkTarget(target: string, wanted: TargetOptions): Promise<'free' | 'same'>;
  /**
   * Moves staged files to a place outside of the data folder, where they appear whole or not at all.
   * @throws ModelRtcError `refused` when something is there, unless it may be overwritten; `storage_full`, `storage`
   */
  placeFileSet(options: PlaceOptions): Promise<void>;
}
