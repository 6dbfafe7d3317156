import type { Manifest } from '@model-rtc/protocol';
import type { IndexChange, RegistryIndex, StoredEntry } from '../entry/types.ts';

/** What a change does to the index, and what it gives its caller once the index is written. */
export interface Update<T> extends IndexChange {
  readonly result: T;
}

/** `models/registry.json`, shared by any number of processes. */
export interface IndexFile {
  /** The index as it is now; quick while no one has written it. */
  read(): Promise<RegistryIndex>;
  /** Reads, changes and writes the index while no other process can. What `change` throws leaves it as it was. */
  update<T>(change: (index: RegistryIndex) => Promise<Update<T>>, signal?: AbortSignal): Promise<T>;
}

/** What a file was when it was hashed: the same size and time again means the same bytes. */
export interface FileStat {
  readonly path: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** What a model's folder says about its model in `.model-rtc/`; a lost index is made again from it. */
export interface FolderNotes {
  readonly entry: StoredEntry;
  /** Not there while the model is training. */
  readonly manifest?: Manifest | undefined;
  /** In the order of the manifest's files. */
  readonly stats?: readonly FileStat[] | undefined;
}
