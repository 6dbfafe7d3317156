import type { RegistryEntry } from '../entry/types.ts';
import type { ImportOptions, ImportResult } from '../import/types.ts';
import type { ProgressOptions } from '../progress.ts';

export interface ExportOptions extends ProgressOptions {
  /** Replace an existing file. */
  readonly overwrite?: boolean | undefined;
}

export interface ExportedModel {
  readonly entry: RegistryEntry;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** Models as single tar files, for machines that no network reaches. */
export interface Archives {
  /**
   * Writes manifest, metadata and files into one archive, whole or not at all, and verifies every byte on the way.
   * @throws ModelRtcError `refused` when the file exists already, `bad_argument` for a place where no archive may go,
   *   `source_changed` and `verification_failed` for a model that is not whole, `storage_full`, `storage`, `cancelled`
   */
  exportModel(ref: string, toPath: string, options?: ExportOptions): Promise<ExportedModel>;
  /** Whether to import a file as an archive: it begins like one that `exportModel` wrote, or is named like one. */
  isArchive(path: string): Promise<boolean>;
  /**
   * Registers the model of an archive, whole or not at all. Whatever the options leave out, the alias too, comes from the
   * archive. The files are always unpacked into the registry, so `copy` has no effect.
   * @throws ModelRtcError `verification_failed` for a damaged archive, `invalid_model` for one that `exportModel` would not
   *   write, `alias_taken`, `refused`, `storage_full`, `storage`, `cancelled`; nothing is registered then
   */
  importArchive(path: string, options?: ImportOptions): Promise<ImportResult>;
}
