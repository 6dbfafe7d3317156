import type { Log, Manifest } from '@model-rtc/protocol';
import type { ChunkIndex } from './chunks/types.ts';
import type { RegistryEntry, StoredEntry } from './entry/types.ts';
import type { Uses } from './eviction/uses.ts';
import type { HashCache } from './hash/types.ts';
import type { ImportSteps } from './import/types.ts';
import type { ModelReading } from './inspect/types.ts';
import type { DataPaths } from './store/data-folder.ts';
import type { IndexFile } from './store/types.ts';

/** What the registry's parts share. */
export interface RegistryContext {
  readonly paths: DataPaths;
  readonly log: Log;
  readonly now: () => Date;
  readonly index: IndexFile;
  readonly chunks: ChunkIndex;
  readonly uses: Uses;
  /** A model as callers get it: with its place on this machine, and with its status as the disk shows it now. */
  readonly show: (stored: StoredEntry) => Promise<RegistryEntry>;
  /** The manifest of a registered model; the last few are kept. @throws ModelRtcError `storage` */
  readonly readManifest: (stored: StoredEntry) => Promise<Manifest>;
  /** Makes a symbolic link at `path` to `target`. */
  readonly makeLink: (target: string, path: string) => Promise<void>;
  /** Whatever reads into model files does it through this. */
  readonly reading: ModelReading;
  /** Loaded when first needed: most commands import nothing. */
  readonly loadImportSteps: () => Promise<ImportSteps>;
  /** Only for imports. Whoever verifies bytes must read them. */
  readonly loadHashCache: () => Promise<HashCache>;
  /** Closes what was opened for imports, and ends what is being read. */
  readonly closeCaches: () => Promise<void>;
}
