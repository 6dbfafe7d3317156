import type { RegistryEntry } from '../entry/types.ts';
import type { ImportOptions, ImportResult } from '../import/types.ts';
import type { ProgressOptions } from '../progress.ts';

export interface ExportOptions extends ProgressOptions {
  /** Replace a file that is there. */
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
   * Writes manifest, metadata and files into one archive, whole or not at all; every byte is verified on its way.
   * @throws ModelRtcError `refused` when a file is there already, `bad_argument` for a place that no archive may have,
   *   `source_changed` and `verification_failed` for a model that is not whole, `storage_full`, `storage`, `cancelled`
   */
  exportModel(ref: string, toPath: string, options?: ExportOptions): Promise<ExportedModel>;
  /** Whether a file is to be imported as an archive: it begins like one that `exportModel` wrote, or is named like one. */
  isArchive(path: string): Promise<boolean>;
  /**
   * Registers the model of an archive, whole or not at all. What the options do not say is taken from the archive, the alias
   * too; its files are always unpacked into the registry, so `copy` says nothing here.
   * @throws ModelRtcError `verification_failed` for a damaged archive, `invalid_model` for one that is not as `exportModel`
   *   writes it, `alias_taken`, `refused`, `storage_full`, `storage`, `cancelled`; nothing is registered then
   */
  importArchive(path: string, options?: ImportOptions): Promise<ImportResult>;
}
