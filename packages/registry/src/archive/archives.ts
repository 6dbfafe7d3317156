import type { Alias } from '@model-rtc/protocol';
import type { RegistryContext } from '../registry-context.ts';
import type { ImportOptions, ImportResult, RegistryEntry } from '../registry-types.ts';

export interface ArchiveProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ExportOptions {
  /** Replace a file that is there. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
}

export interface ExportedModel {
  readonly entry: RegistryEntry;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

export type ImportArchiveOptions = Pick<ImportOptions, 'alias' | 'aliasConflict' | 'safeOnly' | 'signal' | 'onProgress'> & {
  readonly ifExists?: 'skip' | 'overwrite' | undefined;
};

/** Models as single tar files, for machines that no network reaches. */
export interface Archives {
  /** Writes manifest, metadata and files into one archive, whole or not at all. */
  exportModel(ref: string, toPath: string, options?: ExportOptions): Promise<ExportedModel>;
  /** Whether a file is an archive that `exportModel` wrote. */
  isArchive(path: string): Promise<boolean>;
  /** @throws ModelRtcError `verification_failed`, `invalid_model`; nothing is registered then */
  importArchive(path: string, options?: ImportArchiveOptions): Promise<ImportResult & { readonly alias?: Alias | undefined }>;
}

export function createArchives(_context: RegistryContext): Archives {
  return {} as Archives; // BEING BUILT
}
