import type { Manifest } from '@model-rtc/protocol';
import type { IndexChange, RegistryIndex, StoredEntry } from '../entry/types.ts';

/** What a change does to the index, and the result for its caller once the index is written. */
export interface Update<T> extends IndexChange {
  readonly result: T;
}

/** `models/registry.json`, shared by any number of processes. */
export interface IndexFile {
  /** The index as it is now. Quick while nobody has written it. */
  read(): Promise<RegistryIndex>;
  /** Reads, changes and writes the index while no other process can. If `change` throws, the index stays as it was. */
  update<T>(change: (index: RegistryIndex) => Promise<Update<T>>, signal?: AbortSignal): Promise<T>;
}

/** A file when it was hashed. The same size and time mean the same bytes. */
export interface FileStat {
  readonly path: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** The notes about a model in its folder's `.model-rtc/`. A lost index is rebuilt from them. */
export interface FolderNotes {
  readonly entry: StoredEntry;
  /** Undefined while the model is training. */
  readonly manifest?: Manifest | undefined;
  /** In the order of the manifest's files. */
  readonly stats?: readonly FileStat[] | undefined;
}
