import type { ByteReader, ReadOptions } from '../types.ts';

/**
 * - `not_downloaded`: a Git LFS pointer where the file should be
 * - `empty`, `cut_off`, `too_long`: not as many bytes as the file's own header says
 * - `missing`: another file of the model names it, and it is not there
 * - `damaged`: the bytes are not what the format, or the file's name, promises
 */
export type FlawKind = 'not_downloaded' | 'empty' | 'cut_off' | 'too_long' | 'missing' | 'damaged';

/** Something that a model lacks. */
export interface Flaw {
  readonly kind: FlawKind;
  /** The file, or the folder, inside the model. */
  readonly path: string;
  /** What is wrong with it, as a sentence without the path: `is cut off: ...`. */
  readonly problem: string;
}

/** A file whose completeness is in question. */
export interface CheckedFile {
  readonly path: string;
  readonly size: number;
  /** Opens the file for the work and closes it after. Throws what opening and the work throw. */
  withReader<T>(work: (reader: ByteReader) => Promise<T>): Promise<T>;
}

/** A format whose files tell whether they are whole. Reads headers alone, within limits. */
export interface FileCheck {
  /** Whether the file is one to look into: by its name and size, which cost nothing. */
  matches(file: CheckedFile): boolean;
  /** Undefined for a file that is whole, or of another format. A StructureError stands for a broken file. */
  check(reader: ByteReader, options: ReadOptions): Promise<FoundFlaw | undefined>;
}

/** A flaw of the file that was looked into. */
export type FoundFlaw = Pick<Flaw, 'kind' | 'problem'>;

/** All files of a model. */
export interface CheckedFiles {
  /** Sorted by path. */
  readonly files: readonly CheckedFile[];
  file(path: string): CheckedFile | undefined;
  /** Whether any file is in the folder or below it. */
  hasFolder(path: string): boolean;
}

/** A layout whose files name one another. */
export type SetCheck = (model: CheckedFiles, options: ReadOptions) => Promise<readonly Flaw[]>;

/** A file that names other files of its model. */
export interface NamingFile {
  matches(path: string): boolean;
  check(file: CheckedFile, model: CheckedFiles, options: ReadOptions): Promise<readonly Flaw[]>;
}
