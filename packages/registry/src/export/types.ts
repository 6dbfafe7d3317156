import type { RegistryEntry } from '../entry/types.ts';
import type { ProgressOptions } from '../progress.ts';

/** Where other tools look for models: the cache of huggingface_hub, the store of ollama, or a plain folder with all models. */
export type ToolStore = 'hf-cache' | 'ollama' | 'folder';

export interface ToolExportOptions extends ProgressOptions {
  readonly as: ToolStore;
  /** What the other tool calls it: `ORG/NAME`, `NAME:TAG`, or a folder's name. The model's name or alias by default. */
  readonly name?: string | undefined;
  /** Let the name mean this model where it means another one now. That one's files stay. */
  readonly overwrite?: boolean | undefined;
}

/** How many bytes were placed in which way. */
export interface PlacedBytes {
  /** They share the disk's blocks with the registry's files until one of both is written to. */
  readonly cloned: number;
  /** They are the registry's files, under one more name. */
  readonly linked: number;
  readonly copied: number;
  /** They were there. */
  readonly kept: number;
}

export interface ToolExport {
  readonly entry: RegistryEntry;
  /** What the other tool calls it. */
  readonly name: string;
  /** What that tool opens: the snapshot, the manifest or the folder. Absolute. */
  readonly path: string;
  readonly outcome: 'exported' | 'already_there';
  readonly placed: PlacedBytes;
  /** Files of the model that the other tool has no place for. */
  readonly leftOut: readonly string[];
}

/** Puts models where other tools find them. */
export interface Exports {
  /**
   * Puts a model into another tool's store, by sharing blocks, by hard links or by copying, whichever the file system can.
   * The tool sees the whole model or nothing, and what it has stays as it is. The same export again changes nothing.
   * @param folder the other tool's folder: `~/.cache/huggingface/hub`, `~/.ollama/models`; made if missing
   * @throws ModelRtcError `refused` when the name means another model there, or the tool cannot run this one; `bad_argument`
   *   for a name that the tool cannot have; `source_changed` for a model that is not whole; `storage_full`, `storage`, `cancelled`
   */
  exportToTool(ref: string, folder: string, options: ToolExportOptions): Promise<ToolExport>;
}
