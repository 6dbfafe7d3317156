import type { ModelEntry } from '@model-rtc/protocol';
import type { Scalars } from '../documents/scalars.ts';
import type { NamedReader, ReadOptions } from '../types.ts';

/** A file of a model, wherever it is: on a disk, at a hub, in a browser's hands. */
export interface ModelFile extends NamedReader {
  /** Where a person finds it, for messages: an absolute path, an address. */
  readonly location: string;
  /** Milliseconds since 1970; undefined where nothing tells. */
  readonly modifiedAtMs: number | undefined;
  /**
   * The first bytes as they are now, up to `maxBytes`. Logs grow and configurations are rewritten while a training goes
   * on, which `read` may refuse and this must not.
   */
  readStart(maxBytes: number): Promise<Uint8Array>;
}

/** A folder as the layouts see it, without the files that the skip rules leave out. */
export interface ModelFolder extends ReadOptions {
  /** Where a person finds it, for messages. */
  readonly location: string;
  readonly files: readonly ModelFile[];
  /** The files with a weights extension. */
  readonly weights: readonly ModelFile[];
  file(path: string): ModelFile | undefined;
  /** Files that are left out of every model, such as results of a validation, which may tell of this one. */
  readonly aside: readonly ModelFile[];
  /**
   * The files of a folder around it: `..`, `../../metrics`. None where there is nothing, or where nothing around it may be
   * read. A run is often named beside the folder of its weights.
   */
  around(path: string): Promise<readonly ModelFile[]>;
}

/** What the model's own files say of it: the part of a registry's entry that a scan can fill. */
export type ModelFacts = Pick<
  ModelEntry,
  | 'modelType'
  | 'framework'
  | 'backbone'
  | 'metrics'
  | 'hyperparameters'
  | 'versions'
  | 'license'
  | 'checkpointPath'
  | 'configPath'
  | 'status'
  | 'createdAt'
  | 'completedAt'
  | 'lineage'
> & {
  /** The name that the training tool gave to the run. */
  readonly runName?: string | undefined;
  /** What the file calls itself where its name says nothing; different quantisations of one model have the same title. */
  readonly title?: string | undefined;
};

/** What a layout makes of a folder that is laid out its way. */
export interface LayoutMatch {
  readonly facts: ModelFacts;
  /** Why a file does not belong to a model of this layout, as a noun phrase; undefined for a file that does. */
  leaveOut?(path: string): string | undefined;
}

/** How one tool lays a model out in files. Listed in `layouts.ts`. */
export interface Layout {
  /**
   * Reads a folder as the tool writes it; undefined when the folder is not laid out that way.
   * Throws ModelRtcError `invalid_model` when the tool's own configuration is there but is broken.
   */
  recognise(folder: ModelFolder): Promise<LayoutMatch | undefined>;
  /** The facts of a file that the tool wrote, when it is by itself; undefined for any other file. */
  recogniseFile?(file: ModelFile, options: ReadOptions): Promise<ModelFacts | undefined>;
}

/** What the header of a weights file says. */
export interface WeightsFacts {
  readonly modelType?: string | undefined;
  /** How it is loaded, where the file's name does not tell. */
  readonly framework?: string | undefined;
  readonly backbone?: string | undefined;
  readonly metrics?: Scalars | undefined;
  readonly hyperparameters?: Scalars | undefined;
  readonly versions?: Scalars | undefined;
  readonly license?: string | undefined;
  readonly lineage?: ModelFacts['lineage'] | undefined;
  readonly runName?: string | undefined;
  /** Less than a name: different quantisations of one model have the same. */
  readonly title?: string | undefined;
  /** Which checkpoint the training tool took for the best so far, as a path on the machine that trained. */
  readonly bestPath?: string | undefined;
}
